// SPDX-License-Identifier: Apache-2.0
/*
 * Prints the length of every instruction in every function of an object, as the library sees it:
 * "@address" for a function, then "address length" for each; "! address" where it does not go on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "../functions.h"
#include "../length.h"

static int print_object(struct dl_phdr_info *object, size_t size, void *name)
{
	struct functions functions = { 0 };
	int found = 0;

	(void)size;
	if (strcmp(object->dlpi_name, name) != 0)
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
			found = functions_open(&functions, (void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr));
	if (!found)
		return -1;
	for (size_t i = 0; i < functions.count; i++) {
		struct range range;

		if (!functions_range(&functions, i, &range)) {
			printf("? %zu\n", i);
			continue;
		}
		printf("@%lx\n", (unsigned long)range.begin - object->dlpi_addr);
		for (const uint8_t *at = range.begin; at < range.end;) {
			struct instruction instruction;

			if (!decode(at, range.end - at, &instruction)) {
				printf("! %lx\n", (unsigned long)at - object->dlpi_addr);
				break;
			}
			printf("%lx %u\n", (unsigned long)at - object->dlpi_addr, instruction.length);
			at += instruction.length;
		}
	}
	return 1;
}

int main(int argc, char *argv[])
{
	struct link_map *map;
	void *handle;

	if (argc != 2)
		return 2;
	handle = dlopen(argv[1], RTLD_LAZY);
	if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	return dl_iterate_phdr(print_object, map->l_name) == 1 ? 0 : 1;
}
