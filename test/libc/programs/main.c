// SPDX-License-Identifier: Apache-2.0
/*
 * Checks that the libc does what it should, wherever it runs: as process 1 of a guest in ring 0, with system calls by
 * call, and as an ordinary process, where they are by SYSCALL.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

const char *self;
static const char *prefix = "";

void passed(const char *name)
{
	printf("ok %s%s\n", prefix, name);
}

void failed(const char *name, const char *why, long value)
{
	printf("FAIL %s%s: %s, but it is %ld (0x%lx)\n", prefix, name, why, value, value);
}

unsigned long kernel_entry(void)
{
	return getauxval(34);
}

/* What of a shell system() and popen() need in a guest that has none. */
static int shell(const char *command)
{
	if (strcmp(command, "exit 7") == 0)
		return 7;
	puts("text");
	return 0;
}

static void checks(void)
{
	check_calls();
	check_signals();
	check_processes();
	check_threads();
	check_cancel();
	check_cancel_steps();
}

/* Also what is linked dynamically, where there is such a program, then the end of the machine. */
static int guest(void)
{
	static const char *const others[] = { "/dynamic", "/pie" };

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/bin", 0755);
	if (symlink(self, "/bin/sh") != 0)
		perror("/bin/sh");
	prefix = "static: ";
	checks();
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
		int status = -1;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0) {
			execl(others[i], others[i], others[i] + 1, NULL);
			_exit(127);
		}
		if (waitpid(child, &status, 0) != child || status != 0)
			failed(others[i], "it ends well", status);
	}
	printf("end\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	self = argv[0];
	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		return shell(argv[2]);
	if (argc == 2 && strcmp(argv[1], "hello") == 0) {
		printf("hello\n");
		return 3;
	}
	if (getpid() == 1 && argc == 1)
		return guest();
	if (argc == 2) {
		static char text[32];

		snprintf(text, sizeof text, "%s: ", argv[1]);
		prefix = text;
	}
	checks();
	return 0;
}
