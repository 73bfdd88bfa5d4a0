// SPDX-License-Identifier: Apache-2.0
/*
 * ring0-calls.so: makes the system calls of the C library go to the kernel by a jump instead of SYSCALL, in a program
 * that runs in ring 0. Loaded before the program by ld.so (/etc/ld.so.preload). Elsewhere it does nothing.
 *
 * What it needs of the C library is weak: with one that has it not, it does nothing.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"
#include "functions.h"
#include "patch.h"
#include "report.h"
#include "sites.h"

#define SITES 800

extern int dl_iterate_phdr(int (*visit)(struct dl_phdr_info *, size_t, void *), void *data) __attribute__((weak));
extern char __libc_single_threaded __attribute__((weak));

struct library {
	uint8_t *text;
	size_t size;
	const uint8_t *unwinding;
};

static struct site sites[SITES];
static uintptr_t entry;

static int is_c_library(const char *path)
{
	static const char name[] = "/libc.so.6";
	size_t length = 0;

	while (path[length] != 0)
		length++;
	if (length < sizeof(name) - 1)
		return 0;
	for (size_t i = 0; i < sizeof(name); i++)
		if (path[length - (sizeof(name) - 1) + i] != name[i])
			return 0;
	return 1;
}

static int look(struct dl_phdr_info *object, size_t size, void *result)
{
	struct library *library = result;

	(void)size;
	if (object->dlpi_name == NULL || !is_c_library(object->dlpi_name))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD && segment->p_flags == (PF_R | PF_X)) {
			library->text = (uint8_t *)(object->dlpi_addr + segment->p_vaddr);
			library->size = segment->p_memsz;
		}
		if (segment->p_type == PT_GNU_EH_FRAME)
			library->unwinding = (const uint8_t *)(object->dlpi_addr + segment->p_vaddr);
	}
	return 1;
}

static void replace_calls(struct report *report)
{
	struct library library = { 0 };
	struct functions functions;
	size_t found;
	int error;

	entry = find_entry();
	if (entry == 0) {
		report->state = "no entry";
		return;
	}
	if (dl_iterate_phdr == NULL || &__libc_single_threaded == NULL || dl_iterate_phdr(look, &library) != 1 ||
	    library.text == NULL || library.unwinding == NULL || !functions_open(&functions, library.unwinding)) {
		report->state = "no glibc";
		return;
	}
	if (!__libc_single_threaded) {
		report->state = "threads";
		return;
	}
	if (!describe_entry(entry)) {
		report->state = "no _dl_find_object";
		return;
	}
	found = find_sites(library.text, library.size, &functions, sites, SITES, &report->count);
	error = patch_sites(library.text, library.size, sites, found, &entry);
	report->error = error;
	report->state = error == 0 ? "patched" : "not patched";
}

__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
{
	struct report report = { 0 };

	(void)argc;
	(void)argv;
	replace_calls(&report);
	if (is_report_wanted(environment))
		print_report(&report);
}
