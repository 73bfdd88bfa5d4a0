// SPDX-License-Identifier: Apache-2.0
/* Signals that meet system calls, and system calls inside of handlers. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int ends[2];
static volatile sig_atomic_t count;
static volatile uintptr_t handler_stack;

static void note(int signal)
{
	char local;

	(void)signal;
	handler_stack = (uintptr_t)&local;
	getppid();
	count++;
}

/* Each signal is sent when the one before has been handled and the thread waits again. */
static void *disturb(void *thread)
{
	for (int i = 0; i < 20; i++) {
		int before = count;

		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		while (count == before)
			usleep(100);
	}
	if (write(ends[1], "x", 1) != 1)
		count = -1000;
	return NULL;
}

static long interrupted_read(int flags, char *byte)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = flags };
	pthread_t self = pthread_self(), other;
	long result;

	count = 0;
	sigaction(SIGUSR1, &action, NULL);
	if (pipe(ends) != 0)
		return -1000;
	pthread_create(&other, NULL, disturb, &self);
	result = read(ends[0], byte, 1);
	if (result < 0)
		result = -errno;
	pthread_join(other, NULL);
	close(ends[0]);
	close(ends[1]);
	return result;
}

/* A leaf function with more locals than registers: the compiler keeps them below the stack pointer. */
__attribute__((noinline)) static long red_zone(volatile sig_atomic_t *until, int times)
{
	volatile long a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;

	while (*until < times) {
		a++, b++, c++, d++, e++, f++, g++, h++;
		if (b - a != 1 || c - b != 1 || d - c != 1 || e - d != 1 || f - e != 1 || g - f != 1 || h - g != 1)
			return 1;
	}
	return 0;
}

static void check_alternate_stack(void)
{
	static char area[65536];
	stack_t stack = { .ss_sp = area, .ss_size = sizeof area }, off = { .ss_flags = SS_DISABLE };
	struct sigaction action = { .sa_handler = note, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR2, &action, NULL);
	count = 0;
	raise(SIGUSR2);
	CHECK("signals: on another stack",
	      count == 1 && handler_stack >= (uintptr_t)area && handler_stack < (uintptr_t)area + sizeof area, count);
	sigaltstack(&off, NULL);
}

static sem_t told;

static void tell(union sigval value)
{
	count = value.sival_int;
	sem_post(&told);
}

static void check_timers(void)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell,
				  .sigev_value.sival_int = 42 };
	struct itimerspec soon = { { 0, 0 }, { 0, 1000000 } };
	struct timespec pause = { 60, 0 }, left = { 0, 0 };
	sigset_t alarm;
	timer_t timer;
	int received = 0;
	long result;

	count = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	result = red_zone(&count, 20);
	CHECK("signals: the red zone stays", result == 0, result);
	count = 0;
	while (count < 20)
		if (getppid() < 0)
			count = 10000;
	CHECK("signals: a timer's meet system calls", count < 10000, count);
	result = nanosleep(&pause, &left);
	CHECK("signals: a sleep is interrupted", result == -1 && errno == EINTR && left.tv_sec > 0, result);
	setitimer(ITIMER_REAL, &never, NULL);

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, NULL);
	raise(SIGALRM);
	result = sigwait(&alarm, &received);
	CHECK("signals: sigwait", result == 0 && received == SIGALRM, received);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);

	sem_init(&told, 0, 0);
	count = 0;
	result = timer_create(CLOCK_MONOTONIC, &event, &timer);
	if (result == 0) {
		timer_settime(timer, 0, &soon, NULL);
		sem_wait(&told);
		timer_delete(timer);
	}
	CHECK("signals: a timer that runs a thread", result == 0 && count == 42, count);
}

void check_signals(void)
{
	char byte = 0;
	long result = interrupted_read(SA_RESTART, &byte);

	CHECK("signals: a system call is restarted", result == 1 && byte == 'x' && count == 20, result);
	result = interrupted_read(0, &byte);
	CHECK("signals: a system call is interrupted", result == -EINTR && count == 20, result);
	check_alternate_stack();
	check_timers();
}
