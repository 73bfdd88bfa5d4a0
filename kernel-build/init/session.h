/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thing that the agent was asked for: a process and its streams. A session never holds more than its input buffer,
 * and writes no more output than the host has said that it takes.
 */
#ifndef UK_SESSION_H
#define UK_SESSION_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

#include "frames.h"
#include "outbox.h"
#include "program.h"

/* How much input the host may have sent that the process has not taken (docs/guest-contract.md, "The agent"). */
#define SESSION_INPUT_MAX 65536

/* Entries of poll() that a session fills. */
#define SESSION_POLLS 4

struct session {
	int used;
	uint16_t id;
	int fresh; /* opened since the last poll() */
	struct program program;
	int starting;  /* how the start goes is not known yet */
	int detached;  /* the host wants to know only that it runs */
	int terminal;
	int opened;    /* OPENED is owed */
	int failed;    /* FAILED is owed */
	struct failure failure;
	int ended;
	int wait_status;
	struct timespec end_time;
	uint64_t credit;   /* bytes of output that the host takes */
	uint64_t consumed; /* bytes of input that CREDIT is owed for */
	int input_ended;
	size_t input_start, input_end;
	char *input;
};

/* Begins a session. Always uses the slot: what goes wrong is told by FAILED. */
void session_open(struct session *session, const struct frame *open);

/* INPUT, INPUT_END, CREDIT, RESIZE, SIGNAL, CLOSE of a session that is used. -1: the host sent more input than it may. */
int session_frame(struct session *session, const struct frame *frame);

/* The process has ended. */
void session_reaped(struct session *session, int wait_status);

/* Fills SESSION_POLLS entries. `room`: output can be sent. */
void session_poll(const struct session *session, struct pollfd *entries, int room);

/* Moves what can be moved after poll(), and says what is owed. */
void session_polled(struct session *session, const struct pollfd *entries, struct outbox *outbox);

/* Whether the session waits for something that wakes nobody: look again soon. */
int session_lingers(const struct session *session);

/* Kills the process and forgets the session without a word. */
void session_close(struct session *session);

#endif
