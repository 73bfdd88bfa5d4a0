/* SPDX-License-Identifier: Apache-2.0 */
/* An object that a harness has loaded to look at. */
#ifndef OBJECT_H
#define OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "../functions.h"

struct object {
	struct functions functions;
	uint8_t *text;
	size_t size;
	uintptr_t base;
};

/* Loads it. False, with the reason on standard error, if that fails or it has no unwinding tables. */
int object_open(struct object *object, const char *path);

#endif
