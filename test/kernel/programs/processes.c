// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define THREADS 4
#define ROUNDS 20000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static __thread long mine;
static atomic_long mixed_up;

static void *count(void *number)
{
	mine = (long)number;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		if (mine != (long)number)
			mixed_up++;
	}
	return number;
}

static void *wait_for_ever(void *unused)
{
	pause();
	return unused;
}

static volatile int written = 1;

static void change_memory(void)
{
	written = 2;
	_exit(written == 2 ? 9 : 1);
}

static void abort_with_core(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &limit);
	if (chdir("/") == 0)
		*(volatile int *)0 = 1;
}

static void check_core(void)
{
	unsigned char header[18] = "";
	char name[32];
	int status = in_child(abort_with_core), file;

	CHECK("a crash dumps a core", WIFSIGNALED(status) && WCOREDUMP(status), status);
	file = open("/core", O_RDONLY);
	if (file < 0) {
		/* With threads around, or where the kernel's default has it, its number is in the name. */
		snprintf(name, sizeof(name), "/core.%d", getpid());
		file = open(name, O_RDONLY);
	}
	CHECK("the core is an ELF core", file >= 0 && read(file, header, 18) == 18 && header[16] == 4, header[16]);
	if (file >= 0)
		close(file);
}

void check_processes(void)
{
	char *const arguments[] = { "/init", "exec", NULL }, *const environment[] = { NULL };
	pthread_t threads[THREADS];
	void *result;
	volatile int right = 0;
	int status;
	pid_t child;

	status = in_child(change_memory);
	CHECK("a fork ends with its status", WIFEXITED(status) && WEXITSTATUS(status) == 9, status);
	CHECK("a fork has memory of its own", written == 1, written);

	status = -1;
	child = vfork();
	if (child == 0) {
		execve("/true", arguments, environment);
		_exit(127);
	}
	waitpid(child, &status, 0);
	CHECK("vfork and execve", WIFEXITED(status) && WEXITSTATUS(status) == 0, status);
	CHECK("posix_spawn says that there is no such program",
	      posix_spawn(&child, "/none", NULL, NULL, arguments, environment) == ENOENT, 0);

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count, (void *)i);
	for (long i = 0; i < THREADS; i++)
		right += pthread_join(threads[i], &result) == 0 && result == (void *)i;
	CHECK("threads end with their results", right == THREADS, right);
	CHECK("threads exclude each other", counter == THREADS * ROUNDS, counter);
	CHECK("thread-local data is each thread's own", mixed_up == 0, mixed_up);

	pthread_create(&threads[0], NULL, wait_for_ever, NULL);
	pthread_cancel(threads[0]);
	CHECK("a thread is cancelled", pthread_join(threads[0], &result) == 0 && result == PTHREAD_CANCELED, result);

	check_core();
}
