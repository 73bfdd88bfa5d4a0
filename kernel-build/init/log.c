// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

/* Kernel log level "error": shown on the console with `quiet`, too. */
#define PREFIX "<3>uk-init: "

static void log_arguments(const char *format, va_list arguments)
{
	char line[512] = PREFIX;
	size_t prefix = sizeof(PREFIX) - 1;
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	vsnprintf(line + prefix, sizeof(line) - prefix, format, arguments);
	if (fd >= 0) {
		if (write(fd, line, strlen(line)) < 0) {
			/* The log is the last resort: there is nowhere to tell that it fails. */
		}
		close(fd);
	}
}

void log_line(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_arguments(format, arguments);
	va_end(arguments);
}

void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_arguments(format, arguments);
	va_end(arguments);
	machine_end(0);
}

void machine_end(int power_off)
{
	if (power_off)
		reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	/* Not allowed to? The kernel panics when process 1 ends, and panic=-1 resets. */
	_exit(1);
}
