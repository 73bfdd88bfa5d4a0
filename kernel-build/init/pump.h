/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pump moves one stream between a pipe of the program's and a port, byte for byte, and counts. It never blocks, and
 * never holds more than its buffer: who reads slowly slows down who writes.
 */
#ifndef UK_PUMP_H
#define UK_PUMP_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define PUMP_BUFFER 65536
#define PUMP_NO_LIMIT UINT64_MAX

struct pump {
	int from;       /* -1: its end was seen, or nobody wants more */
	int to;         /* -1: closed */
	uint64_t taken; /* bytes read from `from` */
	uint64_t given; /* bytes written to `to` */
	uint64_t limit; /* the stream ends after that many bytes, whatever else may come */
	int ends_to;    /* `to` is closed at the stream's end */
	int retry;      /* the port had no memory for a message: look again soon instead of waiting for an event */
	size_t start, end; /* what of `buffer` is taken and not yet given */
	char buffer[PUMP_BUFFER];
};

/*
 * Both descriptors are non-blocking. The pump closes `from` at the stream's end, and with `ends_to` also `to`: a pipe
 * ends that way, a port's end is counted.
 */
void pump_open(struct pump *pump, int from, int to, int ends_to);

/* Moves what can be moved now. */
void pump_move(struct pump *pump);

/* What to poll for: fills two entries (fd -1: nothing). */
void pump_poll(const struct pump *pump, struct pollfd entries[2]);

/* After poll: moves bytes, and notices a side that has gone. */
void pump_polled(struct pump *pump, const struct pollfd entries[2]);

/* The stream ends after so many bytes (and at once if they have passed already). */
void pump_limit(struct pump *pump, uint64_t limit);

/* Whether everything that was taken is given and nothing more will be taken. */
int pump_done(const struct pump *pump);

#endif
