// SPDX-License-Identifier: Apache-2.0
#include "tar.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int tar_put(char *field, size_t size, uint64_t number)
{
	field[--size] = 0;
	while (size) {
		field[--size] = (char)('0' + number % 8);
		number /= 8;
	}
	return number ? -1 : 0;
}

uint64_t tar_number(const char *field, size_t size)
{
	uint64_t number = 0;
	size_t i = 0;

	if ((unsigned char)field[0] == 0x80) {
		for (i = 1; i < size; i++)
			number = number << 8 | (unsigned char)field[i];
		return number;
	}
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		number = number * 8 + (uint64_t)(field[i] - '0');
	return number;
}

/* The sum counts its own field as blanks. */
static unsigned int sum(const struct tar_header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned int total = 0;

	for (size_t i = 0; i < sizeof(*header); i++)
		total += bytes[i];
	for (size_t i = 0; i < sizeof(header->checksum); i++)
		total += ' ' - (unsigned int)(unsigned char)header->checksum[i];
	return total;
}

void tar_seal(struct tar_header *header)
{
	tar_put(header->checksum, sizeof(header->checksum) - 1, sum(header));
	header->checksum[sizeof(header->checksum) - 1] = ' ';
}

int tar_is_sound(const struct tar_header *header)
{
	return tar_number(header->checksum, sizeof(header->checksum)) == sum(header);
}

int tar_read(void *bytes, size_t length)
{
	char *to = bytes;

	while (length) {
		ssize_t got = read(0, to, length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to += got;
		length -= (size_t)got;
	}
	return 0;
}

int tar_write(const void *bytes, size_t length)
{
	const char *from = bytes;

	while (length) {
		ssize_t put = write(1, from, length);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		from += put;
		length -= (size_t)put;
	}
	return 0;
}
