// SPDX-License-Identifier: Apache-2.0
/*
 * Process 1 of a guest: executes `int n` for every n, each in a child, and says what became of it. What a gate of the
 * kernel takes for its device or its fault is a program's mistake, and must be no more than a signal to it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../programs/check.h"

static void (*interrupt)(void);

static void write_code(int vector)
{
	unsigned char code[] = { 0xcd, (unsigned char)vector, 0xc3 };

	interrupt = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy((void *)interrupt, code, sizeof(code));
}

static const char *outcome(int status)
{
	static char text[64];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "signal %d", WTERMSIG(status));
	else if (WIFEXITED(status))
		snprintf(text, sizeof(text), WEXITSTATUS(status) == 0 ? "returned" : "exit %d", WEXITSTATUS(status));
	else
		snprintf(text, sizeof(text), "status %d", status);
	return text;
}

static void try(int vector)
{
	struct timespec patience = { 30, 0 };
	int status = -1, hangs;
	sigset_t ended;
	pid_t child;

	/* Whole before the machine may end. */
	printf("try int %d\n", vector);
	fflush(stdout);
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	child = fork();
	if (child == 0) {
		write_code(vector);
		interrupt();
		_exit(0);
	}
	hangs = sigtimedwait(&ended, NULL, &patience) < 0;
	if (hangs)
		kill(child, SIGKILL);
	waitpid(child, &status, 0);
	printf("int %d: %s\n", vector, hangs ? "hangs" : outcome(status));
}

int main(int argc, char *argv[])
{
	struct rlimit no_core = { 0, 0 };
	sigset_t ended;
	int only = -1;

	begin();
	setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, NULL);
	if (argc > 1 && sscanf(argv[1], "%d", &only) == 1 && only >= 0)
		try(only);
	else
		for (int vector = 0; vector < 256; vector++)
			try(vector);
	end();
	return 1;
}
