// SPDX-License-Identifier: Apache-2.0
/* What programs use of glibc that needs the kernel or the processor: built static and dynamic. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef STATIC
#define LIBC "static glibc: "
#else
#define LIBC "dynamic glibc: "
#endif

static void check(int condition, const char *name)
{
	printf("%s" LIBC "%s\n", condition ? "ok " : "FAIL ", name);
}

static __thread unsigned long mine = 7;

static void *allocate(void *seed)
{
	unsigned long sum = 0, wrong = 0;
	unsigned char *blocks[64] = { 0 };

	mine += (unsigned long)seed;
	for (unsigned int i = 0; i < 4000; i++) {
		unsigned int slot = i * 7 % 64, size = (i * 37 + (unsigned int)mine * 101) % 5000 + 1;

		if (blocks[slot])
			wrong += blocks[slot][0] != (unsigned char)mine;
		free(blocks[slot]);
		blocks[slot] = malloc(size);
		memset(blocks[slot], (int)mine, size);
		sum += size;
	}
	for (int i = 0; i < 64; i++)
		free(blocks[i]);
	return wrong == 0 && sum > 0 && mine == 7 + (unsigned long)seed ? &mine : NULL;
}

static void check_threads(void)
{
	pthread_t threads[8];
	void *result;
	long right = 0;

	for (unsigned long i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, allocate, (void *)i);
	for (int i = 0; i < 8; i++)
		right += pthread_join(threads[i], &result) == 0 && result;
	check(right == 8 && mine == 7, "threads allocate, each with data of its own");
}

static int cleaned;

static void clean(void *unused)
{
	(void)unused;
	cleaned++;
}

static void *sleep_long(void *ready)
{
	pthread_cleanup_push(clean, NULL);
	sem_post(ready);
	sleep(1000);
	pthread_cleanup_pop(0);
	return NULL;
}

static void check_cancel(void)
{
	pthread_t thread;
	void *result = NULL;
	sem_t ready;

	sem_init(&ready, 0, 0);
	pthread_create(&thread, NULL, sleep_long, &ready);
	sem_wait(&ready);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	check(result == PTHREAD_CANCELED && cleaned == 1, "a cancelled thread unwinds its stack");
}

static void *leave_locked(void *mutex)
{
	pthread_mutex_lock(mutex);
	return NULL;
}

static void check_robust(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t mutex;
	pthread_t thread;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mutex, &attributes);
	pthread_create(&thread, NULL, leave_locked, &mutex);
	pthread_join(thread, NULL);
	check(pthread_mutex_lock(&mutex) == EOWNERDEAD, "a robust mutex tells of its owner's end");
}

static sem_t expired;

static void expire(union sigval value)
{
	if (value.sival_int == 42)
		sem_post(&expired);
}

static void check_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = expire,
				  .sigev_value.sival_int = 42 };
	struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	timer_t timer;

	sem_init(&expired, 0, 0);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &soon, NULL);
	check(sem_wait(&expired) == 0, "a timer starts a thread");
	timer_delete(timer);
}

static ucontext_t outer, inner;
static char stack[65536];
static volatile int switches;

static void coroutine(void)
{
	for (;;) {
		switches++;
		swapcontext(&inner, &outer);
	}
}

static void check_contexts(void)
{
	getcontext(&inner);
	inner.uc_stack.ss_sp = stack;
	inner.uc_stack.ss_size = sizeof(stack);
	makecontext(&inner, coroutine, 0);
	for (int i = 0; i < 1000; i++)
		swapcontext(&outer, &inner);
	check(switches == 1000, "contexts switch");
}

static void check_spawn(void)
{
	char *const arguments[] = { "/proc/self/exe", "child", NULL };
	int status = -1;
	pid_t child;

	check(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0 &&
	      waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 23, "posix_spawn");
	status = system("exit 3");
	/* There is no shell. */
	check(WIFEXITED(status) && WEXITSTATUS(status) == 127, "system without a shell");
}

static void check_clocks(void)
{
	struct timespec before, between, after;
	long wrong = 0;

	for (int i = 0; i < 1000; i++) {
		/* The first and last by the vDSO. */
		clock_gettime(CLOCK_MONOTONIC, &before);
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &between);
		clock_gettime(CLOCK_MONOTONIC, &after);
		wrong += before.tv_sec * 1000000000 + before.tv_nsec > between.tv_sec * 1000000000 + between.tv_nsec;
		wrong += between.tv_sec * 1000000000 + between.tv_nsec > after.tv_sec * 1000000000 + after.tv_nsec;
	}
	check(wrong == 0, "the vDSO's clock and the kernel's are one");
}

static volatile sig_atomic_t handled;

static void handle(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	/* Uses the stack and SSE as handlers may. */
	char text[64];

	handled += snprintf(text, sizeof(text), "%.3f", (double)info->si_value.sival_int / 8) == 5;
}

static void check_signals(void)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO };
	volatile double sum = 0;

	sigaction(SIGRTMIN, &action, NULL);
	for (int i = 0; i < 100; i++) {
		sum += sqrt(i);
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 9 });
	}
	check(handled == 100 && fabs(sum - 661.4629) < 0.001, "real-time signals, and floating point around them");
}

static void check_rseq(void)
{
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	long wrong = 0;

	for (int i = 0; i < 1000; i++)
		wrong += sched_getcpu() < 0 || sched_getcpu() >= sysconf(_SC_NPROCESSORS_CONF);
	check(__rseq_size >= 20 && (int)area->cpu_id >= 0 && wrong == 0, "restartable sequences are registered");
}

static void check_library(void)
{
#ifndef STATIC
	void *library = dlopen("libm.so.6", RTLD_NOW);
	double (*cosine)(double) = library ? (double (*)(double))dlsym(library, "cos") : NULL;

	check(cosine && cosine(0) == 1, "dlopen");
#endif
}

int main(int argc, char *argv[])
{
	(void)argv;
	if (argc > 1)
		return 23;
	setvbuf(stdout, NULL, _IOLBF, 0);
	check_threads();
	check_cancel();
	check_robust();
	check_timer();
	check_contexts();
	check_spawn();
	check_clocks();
	check_signals();
	check_rseq();
	check_library();
	return 0;
}
