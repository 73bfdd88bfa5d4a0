// SPDX-License-Identifier: Apache-2.0
/*
 * Prints every instruction in every function of an object, as the library sees it: "@address" for a function, then for
 * each "address length", with "jump target", "call target" or "indirect" behind it where it may go on elsewhere;
 * "! address" where it does not go on.
 */
#include <stdio.h>

#include "../length.h"
#include "object.h"

int main(int argc, char *argv[])
{
	struct object object;

	if (argc != 2)
		return 2;
	if (!object_open(&object, argv[1]))
		return 1;
	for (size_t i = 0; i < object.functions.count; i++) {
		struct range range;

		if (!functions_range(&object.functions, i, &range)) {
			printf("? %zu\n", i);
			continue;
		}
		printf("@%lx\n", (uintptr_t)range.begin - object.base);
		for (const uint8_t *at = range.begin; at < range.end;) {
			struct instruction instruction;

			if (!decode(at, range.end - at, &instruction)) {
				printf("! %lx\n", (uintptr_t)at - object.base);
				break;
			}
			printf("%lx %u", (uintptr_t)at - object.base, instruction.length);
			if (instruction.direct_jump)
				printf(" %s %lx", instruction.call ? "call" : "jump",
				       (uintptr_t)instruction.target - object.base);
			if (instruction.indirect_jump)
				printf(" indirect");
			putchar('\n');
			at += instruction.length;
		}
	}
	return 0;
}
