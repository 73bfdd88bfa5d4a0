// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a test guest: checks what programs in ring 0 may rely on, prints a line for each, ends the machine. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

void passed(const char *name)
{
	printf("ok %s\n", name);
}

void failed(const char *name, const char *why, long value)
{
	printf("FAIL %s: %s, but it is %ld (0x%lx)\n", name, why, value, value);
}

int in_child(void (*body)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		body();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount("proc", "/proc", "proc", 0, NULL);

	check_privilege();
	check_faults();
	check_stacks();
	check_processes();
	check_state();
	check_calls();
	check_ptrace();

	printf("end\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
