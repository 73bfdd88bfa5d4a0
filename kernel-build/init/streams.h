/* SPDX-License-Identifier: Apache-2.0 */
/* The standard streams of a program that is about to be started. */
#ifndef UK_STREAMS_H
#define UK_STREAMS_H

#include "frames.h"
#include "program.h"
#include "users.h"

/*
 * Opens what `request` asks for: pipes, a terminal, or nothing at all. `streams` are the program's three descriptors, its
 * other ends go into `program`. 0, or -1 and errno says why; what was opened is then there to be closed.
 */
int streams_open(const struct frame *request, int terminal, const struct user *user, struct program *program,
		 int streams[3]);

/* Gives a terminal the size that `rows` and `columns` say. */
void terminal_resize(int terminal, const struct frame *frame);

#endif
