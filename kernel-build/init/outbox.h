/* SPDX-License-Identifier: Apache-2.0 */
/* What is on its way to the agent's port, which takes some of it now and some later. */
#ifndef UK_OUTBOX_H
#define UK_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "frames.h"

/* Most bytes of output in one frame; a port takes 32 KiB at once. */
#define OUTPUT_MAX (32768 - FRAME_HEADER)
/* Room for an answer is always left beside the output. */
#define ANSWER_MAX FRAME_WRITER_MAX

struct outbox {
	size_t start, end;
	int retry; /* the port had no memory: look again soon */
	unsigned char bytes[2 * (OUTPUT_MAX + FRAME_HEADER)];
};

/* Writes what can be written. -1 where the host has gone. */
int outbox_flush(struct outbox *outbox, int port);

/* Whether a frame with so much payload fits. */
int outbox_has_room(const struct outbox *outbox, size_t payload);

/* A frame of records; there is room. */
void outbox_add(struct outbox *outbox, struct frame_writer *writer, uint16_t session);

/* A frame whose payload is read from `fd`, at most `limit` bytes; there is room for OUTPUT_MAX. As read(2). */
long outbox_read(struct outbox *outbox, int fd, size_t limit, uint16_t type, uint16_t session);

#endif
