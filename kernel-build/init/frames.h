/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames of the control port (docs/guest-contract.md, "Frames on the control port"). Plain functions on plain
 * memory: they know no port and no allocation, so the host's tests run them as they are.
 */
#ifndef UK_FRAMES_H
#define UK_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 8
#define FRAME_PAYLOAD_MAX (4u << 20)
#define FRAME_WRITER_MAX 2048

/* Host to guest. */
enum {
	FRAME_START = 1,
	FRAME_SIGNAL = 2,
	FRAME_STDIN_END = 3,
	FRAME_PING = 4,
	FRAME_END = 5,
	FRAME_RESIZE = 6,
};
/* Guest to host. */
enum { FRAME_HELLO = 101, FRAME_STARTED = 102, FRAME_EXIT = 103, FRAME_FAILURE = 104, FRAME_PONG = 105 };

struct frame {
	uint16_t type;
	uint16_t session; /* on the agent's port; 0 on the control port */
	const char *payload;
	size_t length;
};

/* Bytes as they came; `buffer` belongs to the caller and holds at least FRAME_HEADER + FRAME_PAYLOAD_MAX bytes. */
struct frame_reader {
	unsigned char *buffer;
	size_t have;
};

/*
 * The first whole frame of what has come. 1: `frame` points into the buffer, until frame_drop. 0: more bytes are
 * needed. -1: no frame can begin like this (too long, or the zero field is not zero).
 */
int frame_peek(const struct frame_reader *reader, struct frame *frame);

/* The same for the agent's port: a frame belongs to a session, and its payload has at most `limit` bytes. */
int frame_peek_session(const struct frame_reader *reader, size_t limit, struct frame *frame);

/* Forgets the frame that frame_peek has shown. */
void frame_drop(struct frame_reader *reader, const struct frame *frame);

struct record {
	const char *key;
	size_t key_length;
	const char *value; /* ends with NUL */
};

/* The record at *cursor, which moves on. 1: a record. 0: the payload's end. -1: not a record. */
int record_next(const struct frame *frame, size_t *cursor, struct record *record);

/* Whether all of the payload is records. */
int records_valid(const struct frame *frame);

int record_is(const struct record *record, const char *key);

/* The value of the first record of that key, or NULL. */
const char *record_find(const struct frame *frame, const char *key);

/* How many records have that key. */
size_t record_count(const struct frame *frame, const char *key);

/* Decimal digits only, no sign, no overflow. 0 on success, -1 otherwise (also for NULL). */
int parse_number(const char *text, uint64_t *number);

/* One frame as it goes out. Values that do not fit are cut: only FAILURE's message can be that long. */
struct frame_writer {
	unsigned char bytes[FRAME_WRITER_MAX];
	size_t length;
};

void frame_begin(struct frame_writer *writer, uint16_t type);
void frame_add(struct frame_writer *writer, const char *key, const char *value);
void frame_add_number(struct frame_writer *writer, const char *key, uint64_t number);

/* Puts the length in; the bytes are then ready to be sent. */
void frame_finish(struct frame_writer *writer);

/* The header of a frame of the agent's port. */
void frame_header(unsigned char header[FRAME_HEADER], size_t length, uint16_t type, uint16_t session);

/* Whether the value of that key is `1`. */
int record_is_set(const struct frame *frame, const char *key);

#endif
