// SPDX-License-Identifier: Apache-2.0
#include "outbox.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int outbox_flush(struct outbox *outbox, int port)
{
	outbox->retry = 0;
	while (outbox->start < outbox->end) {
		ssize_t put = write(port, outbox->bytes + outbox->start, outbox->end - outbox->start);

		if (put > 0) {
			outbox->start += (size_t)put;
			continue;
		}
		if (put < 0 && errno == EINTR)
			continue;
		outbox->retry = put < 0 && errno == ENOMEM;
		return put < 0 && errno != EAGAIN && errno != ENOMEM ? -1 : 0;
	}
	outbox->start = outbox->end = 0;
	return 0;
}

int outbox_has_room(const struct outbox *outbox, size_t payload)
{
	return sizeof(outbox->bytes) - (outbox->end - outbox->start) >= FRAME_HEADER + payload;
}

/* Room is counted in all; here it is brought behind the last byte. */
static unsigned char *tail(struct outbox *outbox, size_t needed)
{
	if (sizeof(outbox->bytes) - outbox->end < needed) {
		memmove(outbox->bytes, outbox->bytes + outbox->start, outbox->end - outbox->start);
		outbox->end -= outbox->start;
		outbox->start = 0;
	}
	return outbox->bytes + outbox->end;
}

void outbox_add(struct outbox *outbox, struct frame_writer *writer, uint16_t session)
{
	frame_finish(writer);
	writer->bytes[6] = (unsigned char)(session & 0xff);
	writer->bytes[7] = (unsigned char)(session >> 8);
	memcpy(tail(outbox, writer->length), writer->bytes, writer->length);
	outbox->end += writer->length;
}

long outbox_read(struct outbox *outbox, int fd, size_t limit, uint16_t type, uint16_t session)
{
	size_t want = limit < OUTPUT_MAX ? limit : OUTPUT_MAX;
	unsigned char *frame = tail(outbox, FRAME_HEADER + want);
	ssize_t got = read(fd, frame + FRAME_HEADER, want);

	if (got > 0) {
		frame_header(frame, (size_t)got, type, session);
		outbox->end += FRAME_HEADER + (size_t)got;
	}
	return got;
}
