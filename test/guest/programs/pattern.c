// SPDX-License-Identifier: Apache-2.0
/* Writes so many pseudo-random bytes to each of its two outputs (stderr gets the complement), as fast as it can. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(int fd, const unsigned char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static unsigned char out[65536], err[65536];
	size_t left = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	uint64_t state = 88172645463325252u;

	while (left) {
		size_t size = left < sizeof(out) ? left : sizeof(out);

		for (size_t i = 0; i < sizeof(out); i += 8) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			memcpy(out + i, &state, 8);
		}
		for (size_t i = 0; i < sizeof(out); i++)
			err[i] = (unsigned char)~out[i];
		if (write_all(1, out, size) != 0 || write_all(2, err, size) != 0)
			return 1;
		left -= size;
	}
	return 0;
}
