// SPDX-License-Identifier: Apache-2.0
/* All ways to make a process. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

static int cloned(void *argument)
{
	int *number = argument;

	*number += getppid() > 0;
	return 9;
}

static int ended(pid_t child)
{
	int status = -1;

	if (child <= 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* What of the parent's stack the child has written over must not be what the parent returns by. */
__attribute__((noinline)) static int vforked(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl(self, self, "-c", "exit 7", NULL);
		_exit(127);
	}
	return ended(child);
}

static int spawned(void)
{
	char *arguments[] = { (char *)self, "-c", "exit 7", NULL };
	pid_t child = -1;

	if (posix_spawn(&child, self, NULL, NULL, arguments, environ) != 0)
		return -1;
	return ended(child);
}

void check_processes(void)
{
	enum { STACK = 65536 };
	static int number = 41;
	char line[16] = "";
	FILE *pipe;
	char *stack;
	pid_t child;
	int result;

	/* A shell writes where this program's checks have been written. */
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(getppid() > 0 ? 5 : 6);
	result = ended(child);
	CHECK("processes: fork", result == 5, result);
	for (int i = result = 0; i < 50; i++)
		result += vforked() == 7;
	CHECK("processes: vfork and execve, 50 times", result == 50, result);
	for (int i = result = 0; i < 50; i++)
		result += spawned() == 7;
	CHECK("processes: posix_spawn, 50 times", result == 50, result);
	result = system("exit 7");
	CHECK("processes: system", WIFEXITED(result) && WEXITSTATUS(result) == 7, result);
	pipe = popen("echo text", "r");
	result = pipe != NULL && fgets(line, sizeof line, pipe) != NULL && strcmp(line, "text\n") == 0;
	CHECK("processes: popen", result && pclose(pipe) == 0, result);

	stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	child = clone(cloned, stack + STACK, CLONE_VM | SIGCHLD, &number);
	result = ended(child);
	CHECK("processes: clone, its function's result is the status", result == 9 && number == 42, result);
	/* A stack that is not aligned. */
	child = clone(cloned, stack + STACK - 40, CLONE_VM | CLONE_VFORK | SIGCHLD, &number);
	result = ended(child);
	CHECK("processes: clone on an odd stack", result == 9 && number == 43, result);
	munmap(stack, STACK);
}
