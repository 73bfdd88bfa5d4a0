// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
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

void begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount("proc", "/proc", "proc", 0, NULL);
}

void end(void)
{
	printf("end\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
}
