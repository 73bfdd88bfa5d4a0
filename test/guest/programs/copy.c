// SPDX-License-Identifier: Apache-2.0
/* Copies its input to its output. With an argument it reads only so many bytes, and ends. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char buffer[65536];
	long left = argc > 1 ? atol(argv[1]) : -1;
	ssize_t got;

	while (left != 0) {
		size_t want = left > 0 && left < (long)sizeof(buffer) ? (size_t)left : sizeof(buffer);

		got = read(0, buffer, want);
		if (got <= 0)
			return got < 0;
		for (ssize_t done = 0; done < got;) {
			ssize_t put = write(1, buffer + done, (size_t)(got - done));
			if (put < 0)
				return 1;
			done += put;
		}
		if (left > 0)
			left -= got;
	}
	return 0;
}
