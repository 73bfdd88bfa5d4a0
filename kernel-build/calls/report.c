// SPDX-License-Identifier: Apache-2.0
/* Without the C library, which may be another one than this was compiled for. */
#include "report.h"

#include <stddef.h>
#include <sys/syscall.h>

static char line[512];
static size_t length;

static void add(const char *text)
{
	while (*text != 0 && length < sizeof(line))
		line[length++] = *text++;
}

static void add_number(const char *name, uint64_t number)
{
	char digits[21];
	size_t at = sizeof(digits) - 1;

	digits[at] = 0;
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	add(",\"");
	add(name);
	add("\":");
	add(digits + at);
}

int is_report_wanted(char **environment)
{
	static const char wanted[] = "UK_CALLS_REPORT=1";

	for (; *environment != NULL; environment++) {
		size_t i = 0;

		while (i < sizeof(wanted) && (*environment)[i] == wanted[i])
			i++;
		if (i == sizeof(wanted))
			return 1;
	}
	return 0;
}

void print_report(const struct report *report)
{
	const struct site_count *count = &report->count;
	long result;

	length = 0;
	add("{\"calls\":\"");
	add(report->state);
	add("\"");
	add_number("error", (uint64_t)report->error);
	add_number("syscalls", count->syscalls);
	add_number("proven", count->proven);
	add_number("otherForm", count->other_form);
	add_number("noFunction", count->no_function);
	add_number("notInstruction", count->not_instruction);
	add_number("jumpedInto", count->jumped_into);
	add_number("excluded", count->excluded);
	add_number("noRoom", count->no_room);
	add("}\n");
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_write), "D"(2), "S"(line), "d"(length)
			 : "rcx", "r11", "memory");
}
