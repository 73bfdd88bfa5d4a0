/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the one program that the machine is for. */
#ifndef UK_PROGRAM_H
#define UK_PROGRAM_H

#include <sys/types.h>

#include "failure.h"
#include "frames.h"
#include "users.h"

struct program {
	pid_t pid;
	int input;  /* non-blocking, the program's standard input; -1 where that is empty */
	int output; /* non-blocking */
	int error;  /* non-blocking */
};

/* Starts what START says. 0, or -1 and `failure` says why. */
int program_start(const struct frame *start, struct program *program, struct failure *failure);

#endif
