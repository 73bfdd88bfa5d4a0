// SPDX-License-Identifier: Apache-2.0
#include "frames.h"

#include <string.h>

static uint32_t little32(const unsigned char *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

int frame_peek_session(const struct frame_reader *reader, size_t limit, struct frame *frame)
{
	if (reader->have < FRAME_HEADER)
		return 0;

	uint32_t length = little32(reader->buffer);
	if (length > limit)
		return -1;
	if (reader->have - FRAME_HEADER < length)
		return 0;

	frame->type = (uint16_t)(reader->buffer[4] | reader->buffer[5] << 8);
	frame->session = (uint16_t)(reader->buffer[6] | reader->buffer[7] << 8);
	frame->payload = (const char *)reader->buffer + FRAME_HEADER;
	frame->length = length;
	return 1;
}

int frame_peek(const struct frame_reader *reader, struct frame *frame)
{
	if (reader->have >= FRAME_HEADER && (reader->buffer[6] || reader->buffer[7]))
		return -1;
	return frame_peek_session(reader, FRAME_PAYLOAD_MAX, frame);
}

void frame_drop(struct frame_reader *reader, const struct frame *frame)
{
	size_t taken = FRAME_HEADER + frame->length;

	reader->have -= taken;
	memmove(reader->buffer, reader->buffer + taken, reader->have);
}

static int is_key_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

int record_next(const struct frame *frame, size_t *cursor, struct record *record)
{
	if (*cursor == frame->length)
		return 0;

	const char *start = frame->payload + *cursor;
	const char *end = memchr(start, 0, frame->length - *cursor);
	if (!end)
		return -1;

	size_t key_length = 0;
	while (is_key_character(start[key_length]))
		key_length++;
	if (key_length == 0 || start[key_length] != '=')
		return -1;

	record->key = start;
	record->key_length = key_length;
	record->value = start + key_length + 1;
	*cursor += (size_t)(end - start) + 1;
	return 1;
}

int records_valid(const struct frame *frame)
{
	struct record record;
	size_t cursor = 0;
	int more;

	do {
		more = record_next(frame, &cursor, &record);
	} while (more == 1);
	return more == 0;
}

int record_is(const struct record *record, const char *key)
{
	return strlen(key) == record->key_length && memcmp(record->key, key, record->key_length) == 0;
}

const char *record_find(const struct frame *frame, const char *key)
{
	struct record record;
	size_t cursor = 0;

	while (record_next(frame, &cursor, &record) == 1)
		if (record_is(&record, key))
			return record.value;
	return NULL;
}

size_t record_count(const struct frame *frame, const char *key)
{
	struct record record;
	size_t cursor = 0;
	size_t count = 0;

	while (record_next(frame, &cursor, &record) == 1)
		count += (size_t)record_is(&record, key);
	return count;
}

int parse_number(const char *text, uint64_t *number)
{
	uint64_t value = 0;

	if (!text || !*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		uint64_t digit = (uint64_t)(*text - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	*number = value;
	return 0;
}

void frame_begin(struct frame_writer *writer, uint16_t type)
{
	memset(writer->bytes, 0, FRAME_HEADER);
	writer->bytes[4] = (unsigned char)(type & 0xff);
	writer->bytes[5] = (unsigned char)(type >> 8);
	writer->length = FRAME_HEADER;
}

void frame_add(struct frame_writer *writer, const char *key, const char *value)
{
	size_t room = sizeof(writer->bytes) - writer->length;
	size_t key_length = strlen(key);
	size_t value_length = strlen(value);

	if (room < key_length + 2)
		return;
	if (value_length > room - key_length - 2)
		value_length = room - key_length - 2;

	unsigned char *to = writer->bytes + writer->length;
	memcpy(to, key, key_length);
	to[key_length] = '=';
	memcpy(to + key_length + 1, value, value_length);
	to[key_length + 1 + value_length] = 0;
	writer->length += key_length + value_length + 2;
}

void frame_add_number(struct frame_writer *writer, const char *key, uint64_t number)
{
	char digits[21];
	char *at = digits + sizeof(digits);

	*--at = 0;
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	frame_add(writer, key, at);
}

static void put_length(unsigned char *header, size_t length)
{
	for (int i = 0; i < 4; i++)
		header[i] = (unsigned char)(length >> (8 * i));
}

void frame_finish(struct frame_writer *writer)
{
	put_length(writer->bytes, writer->length - FRAME_HEADER);
}

void frame_header(unsigned char header[FRAME_HEADER], size_t length, uint16_t type, uint16_t session)
{
	put_length(header, length);
	header[4] = (unsigned char)(type & 0xff);
	header[5] = (unsigned char)(type >> 8);
	header[6] = (unsigned char)(session & 0xff);
	header[7] = (unsigned char)(session >> 8);
}

int record_is_set(const struct frame *frame, const char *key)
{
	const char *value = record_find(frame, key);

	return value && strcmp(value, "1") == 0;
}
