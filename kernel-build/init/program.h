/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program: the one that the machine is for, or one that the agent is asked for. */
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
	int error;  /* non-blocking; -1 where the program has a terminal, and where its output is thrown away */
	int report; /* says how the start went; closed when that is known */
};

/*
 * What a child does in place of executing a file. It has the standard streams of a program, is root, and reads a copy of
 * the request. Returns the status to exit with.
 */
typedef int (*program_body)(const struct frame *request);

/*
 * Begins to start what `request` (START, or OPEN of the agent) says: `arg`, `env`, `cwd`, `user`, `stdin`, `tty` with
 * `rows` and `columns`, `detach`. 0, or -1 and `failure` says why.
 *
 * @param body NULL: the file that the first `arg` names
 */
int program_begin(const struct frame *request, program_body body, struct program *program, struct failure *failure);

/* How it went. 1: the program runs. 0: not known yet. -1: it does not, and `failure` says why. */
int program_outcome(struct program *program, struct failure *failure);

/* Both, and waits in between. 0, or -1 and `failure` says why. */
int program_start(const struct frame *start, struct program *program, struct failure *failure);

#endif
