// SPDX-License-Identifier: Apache-2.0
/*
 * Reads files and says how fast: "seq DIR" reads all files of a directory, a mebibyte at a time, "random FILE COUNT" reads
 * blocks of 4 KiB at random places. Prints bytes and nanoseconds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t read_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	uint64_t bytes = 0;

	while (directory && (entry = readdir(directory))) {
		int file = openat(dirfd(directory), entry->d_name, O_RDONLY);
		ssize_t got;

		while ((got = read(file, buffer, sizeof(buffer))) > 0)
			bytes += (uint64_t)got;
		close(file);
	}
	return bytes;
}

static uint64_t read_randomly(const char *path, long count)
{
	int file = open(path, O_RDONLY);
	struct stat of;
	uint64_t state = 88172645463325252u, bytes = 0;

	if (fstat(file, &of) != 0)
		return 0;
	for (long i = 0; i < count; i++) {
		/* xorshift64 */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		ssize_t got = pread(file, buffer, 4096, (off_t)(state % (uint64_t)(of.st_size / 4096)) * 4096);
		bytes += got > 0 ? (uint64_t)got : 0;
	}
	return bytes;
}

int main(int argc, char **argv)
{
	uint64_t begin = now();
	uint64_t bytes = argc > 3 ? read_randomly(argv[2], atol(argv[3])) : read_directory(argv[argc - 1]);

	printf("%s %llu %llu\n", argv[1], (unsigned long long)bytes, (unsigned long long)(now() - begin));
	return 0;
}
