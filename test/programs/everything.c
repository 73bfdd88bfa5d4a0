// SPDX-License-Identifier: Apache-2.0
/*
 * One program that asks of its kernel what real programs ask: says at which privilege level it runs, writes every byte
 * value to both outputs, survives a SIGSEGV, forks, runs four threads, and exits with 42.
 *
 * Output: a line of text, then BYTES bytes counting up modulo 256. Error output: the same bytes counting down.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 100000
#define THREADS 4
#define ROUNDS 20000

static sigjmp_buf back;
static volatile uintptr_t fault_address;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void fail(const char *what)
{
	fprintf(stderr, "failed: %s\n", what);
	exit(1);
}

static unsigned privilege_level(void)
{
	unsigned short cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	return cs & 3;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	fault_address = (uintptr_t)info->si_addr;
	siglongjmp(back, 1);
}

static void catch_fault(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	volatile int *nowhere = (volatile int *)0x1238;

	sigaction(SIGSEGV, &action, NULL);
	if (sigsetjmp(back, 1) == 0) {
		*nowhere = 1;
		fail("a write to an unmapped address went through");
	}
	if (fault_address != 0x1238)
		fail("SIGSEGV came with another address");
}

static void fork_and_wait(void)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0)
		_exit(7);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		fail("the child's status");
}

static void *count(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

static void run_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, count, NULL))
			fail("pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (counter != (long)THREADS * ROUNDS)
		fail("threads lost counts");
}

static void write_all(int file, const unsigned char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);

		if (written <= 0)
			fail("write");
		bytes += written;
		length -= written;
	}
}

int main(void)
{
	static unsigned char up[BYTES], down[BYTES];
	char line[64];

	catch_fault();
	fork_and_wait();
	run_threads();
	for (int i = 0; i < BYTES; i++) {
		up[i] = i;
		down[i] = 255 - i % 256;
	}
	snprintf(line, sizeof(line), "cpl=%u cpus=%ld\n", privilege_level(), sysconf(_SC_NPROCESSORS_ONLN));
	write_all(1, (unsigned char *)line, strlen(line));
	write_all(1, up, BYTES);
	write_all(2, down, BYTES);
	return 42;
}
