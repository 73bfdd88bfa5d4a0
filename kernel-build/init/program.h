/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the one program that the machine is for. */
#ifndef UK_PROGRAM_H
#define UK_PROGRAM_H

#include <sys/types.h>

#include "frames.h"
#include "users.h"

/* Why a program could not be started: what FAILURE and the EXIT after it say. */
struct failure {
	const char *stage;
	int error;  /* errno */
	int status; /* 127: not found. 126: cannot be executed. 125: it did not come to that. */
	char message[512];
};

__attribute__((format(printf, 5, 6))) void failure_set(struct failure *failure, const char *stage, int error,
						       int status, const char *format, ...);

struct program {
	pid_t pid;
	int input;  /* non-blocking, the program's standard input; -1 where that is empty */
	int output; /* non-blocking */
	int error;  /* non-blocking */
};

/* Starts what START says. 0, or -1 and `failure` says why. */
int program_start(const struct frame *start, struct program *program, struct failure *failure);

#endif
