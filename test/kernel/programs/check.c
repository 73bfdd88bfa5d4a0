// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
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

void wait_in_read(pid_t thread)
{
	char name[64], text[16];
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/syscall", thread);
	for (;;) {
		file = fopen(name, "r");
		if (file && fgets(text, sizeof(text), file) && strncmp(text, "0 ", 2) == 0)
			break;
		if (file)
			fclose(file);
		usleep(1000);
	}
	fclose(file);
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
