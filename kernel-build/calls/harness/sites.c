// SPDX-License-Identifier: Apache-2.0
/* Prints where in an object the library would replace calls, "proven address", and how many it would not, and why. */
#include <stdio.h>

#include "../sites.h"
#include "object.h"

int main(int argc, char *argv[])
{
	static struct site sites[1024];
	struct site_count count = { 0 };
	struct object object;
	size_t found;

	if (argc != 2)
		return 2;
	if (!object_open(&object, argv[1]))
		return 1;
	found = find_sites(object.text, object.size, &object.functions, sites, sizeof(sites) / sizeof(sites[0]), &count);
	for (size_t i = 0; i < found; i++)
		printf("proven %lx\n", (uintptr_t)sites[i].at - object.base);
	printf("syscalls %u\njumped into %u\nnot instruction %u\nno function %u\nexcluded %u\n", count.syscalls,
	       count.jumped_into, count.not_instruction, count.no_function, count.excluded);
	return 0;
}
