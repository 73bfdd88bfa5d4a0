// SPDX-License-Identifier: Apache-2.0
/*
 * The frame parser on the host, under the sanitizers. Reads its standard input through a frame reader, in pieces whose
 * sizes the first argument seeds, and prints what it finds; "-" stands for bytes that are no frame. Each frame is
 * copied to memory of its exact size first, so that any read behind it is seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../frames.h"

static void print_frame(const struct frame *found)
{
	char *copy = malloc(found->length ? found->length : 1);
	struct frame frame = { .type = found->type, .payload = copy, .length = found->length };
	struct record record;
	size_t cursor = 0;

	memcpy(copy, found->payload, found->length);
	printf("%u %s", frame.type, records_valid(&frame) ? "valid" : "damaged");
	while (record_next(&frame, &cursor, &record) == 1) {
		uint64_t number;
		printf(" %.*s=", (int)record.key_length, record.key);
		for (const char *at = record.value; *at; at++)
			printf("%02x", (unsigned char)*at);
		if (parse_number(record.value, &number) == 0)
			printf("(%llu)", (unsigned long long)number);
	}
	printf(" args %zu first %s\n", record_count(&frame, "arg"), record_find(&frame, "arg") ? "yes" : "no");
	free(copy);
}

static void print_written(void)
{
	struct frame_writer writer;
	char long_value[3000];

	memset(long_value, 'x', sizeof(long_value) - 1);
	long_value[sizeof(long_value) - 1] = 0;
	frame_begin(&writer, FRAME_FAILURE);
	frame_add(&writer, "stage", "exec");
	frame_add_number(&writer, "errno", UINT64_MAX);
	frame_add(&writer, "message", long_value);
	frame_add(&writer, "more", "left out");
	frame_finish(&writer);
	fwrite(writer.bytes, 1, writer.length, stdout);
}

int main(int argc, char **argv)
{
	struct frame_reader reader = { .buffer = malloc(FRAME_HEADER + FRAME_PAYLOAD_MAX) };
	unsigned int seed = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;

	if (argc > 1 && strcmp(argv[1], "write") == 0) {
		print_written();
		free(reader.buffer);
		return 0;
	}
	for (;;) {
		size_t room = FRAME_HEADER + FRAME_PAYLOAD_MAX - reader.have;
		size_t want = (size_t)rand_r(&seed) % 97 + 1;
		ssize_t got = read(0, reader.buffer + reader.have, want < room ? want : room);
		struct frame frame;
		int state;

		if (got <= 0)
			break;
		reader.have += (size_t)got;
		while ((state = frame_peek(&reader, &frame)) == 1) {
			print_frame(&frame);
			frame_drop(&reader, &frame);
		}
		if (state < 0) {
			printf("-\n");
			break;
		}
	}
	free(reader.buffer);
	return 0;
}
