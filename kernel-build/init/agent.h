/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent: does for the host what it asks for on the port uk.agent (docs/guest-contract.md, "The agent"). It is a part of
 * init and never waits: each request is a process of its own.
 */
#ifndef UK_AGENT_H
#define UK_AGENT_H

#include <poll.h>
#include <sys/types.h>

#include "session.h"

/* Host to guest. */
enum {
	AGENT_OPEN = 1,
	AGENT_INPUT = 2,
	AGENT_INPUT_END = 3,
	AGENT_CREDIT = 4,
	AGENT_RESIZE = 5,
	AGENT_SIGNAL = 6,
	AGENT_CLOSE = 7,
};
/* Guest to host. */
enum {
	AGENT_OPENED = 101,
	AGENT_FAILED = 102,
	AGENT_OUTPUT = 103,
	AGENT_ERROR = 104,
	AGENT_CREDIT_BACK = 105,
	AGENT_EXIT = 106,
};

/* Sessions at a time. */
#define AGENT_SESSIONS 16
/* Most bytes of a frame's payload; arguments and environment are the longest. */
#define AGENT_PAYLOAD_MAX (256u << 10)
/* Entries of poll() that the agent fills. */
#define AGENT_POLLS (1 + AGENT_SESSIONS * SESSION_POLLS)

/* Nothing new is begun from now on: the machine is about to end. */
void agent_end(void);

/* `port`: non-blocking, the host is connected. */
void agent_open(int port);

/* Fills AGENT_POLLS entries. */
void agent_poll(struct pollfd *entries);

/* After poll(). */
void agent_polled(const struct pollfd *entries);

/* A child has ended: perhaps the agent's. */
void agent_reaped(pid_t pid, int wait_status);

/* Milliseconds after which to look again although nothing has happened; -1: never. */
int agent_next_look(void);

#endif
