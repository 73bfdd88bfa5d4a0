// SPDX-License-Identifier: Apache-2.0
/*
 * records DIR [COUNT]: first checks the records that DIR holds, and prints "have N", where N is the number of the next
 * one. Then it writes record after record and syncs each, and prints its number only then. With COUNT it ends after as
 * many. Records stand in parts of PART records; old parts are removed, so that a disk is not filled.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART 64
#define PARTS_KEPT 16
#define WORDS 375 /* 3,000 bytes: neither a block nor a page */

struct record {
	uint64_t words[WORDS];
};

static int directory;

static void fail(const char *what, long number)
{
	fprintf(stderr, "records: %s %ld: %s\n", what, number, strerror(errno));
	exit(1);
}

static void damaged(const char *what, long number)
{
	fprintf(stderr, "records: %s %ld\n", what, number);
	exit(1);
}

static void fill(struct record *record, uint64_t number)
{
	record->words[0] = number;
	for (size_t i = 1; i < WORDS; i++)
		record->words[i] = record->words[i - 1] * 6364136223846793005u + 1442695040888963407u;
}

static const char *part_name(long part)
{
	static char name[32];

	snprintf(name, sizeof(name), "part-%ld", part);
	return name;
}

/* Which parts there are; a file that was not yet renamed counts for nothing. */
static void find_parts(long *first, long *last)
{
	DIR *entries = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;

	*first = *last = -1;
	while (entries && (errno = 0, entry = readdir(entries))) {
		long part;
		if (sscanf(entry->d_name, "part-%ld", &part) != 1)
			continue;
		if (*first < 0 || part < *first)
			*first = part;
		if (part > *last)
			*last = part;
	}
	if (!entries || errno)
		fail("readdir", 0);
	closedir(entries);
}

/* Returns how many whole records the part holds. What was not synced may be there in part, in the last one only. */
static long check_part(long part, int is_last)
{
	int file = openat(directory, part_name(part), O_RDWR | O_CLOEXEC);
	struct record found, wanted;
	ssize_t length;
	long count = 0;

	if (file < 0)
		fail("a part is missing:", part);
	while ((length = read(file, &found, sizeof(found))) == (ssize_t)sizeof(found)) {
		fill(&wanted, (uint64_t)(part * PART + count));
		if (memcmp(&found, &wanted, sizeof(found)) != 0)
			break;
		count++;
	}
	if (length < 0)
		fail("read", part);
	if (!is_last && (count != PART || length != 0))
		damaged("not whole: part", part);
	if (ftruncate(file, count * (long)sizeof(found)) != 0)
		fail("ftruncate", part);
	close(file);
	return count;
}

static long check_all(void)
{
	long first, last, next = 0;

	find_parts(&first, &last);
	/* Parts that were to be removed when the guest was killed. */
	for (; first >= 0 && first <= last - PARTS_KEPT; first++)
		unlinkat(directory, part_name(first), 0);
	for (long part = first; part >= 0 && part <= last; part++)
		next = part * PART + check_part(part, part == last);
	return next;
}

static void sync_directory(long number)
{
	if (fsync(directory) != 0)
		fail("fsync of the directory", number);
}

static void write_record(long number)
{
	long part = number / PART;
	int fresh = number % PART == 0;
	int file = openat(directory, fresh ? "fresh" : part_name(part), O_WRONLY | O_APPEND | O_CLOEXEC |
			  (fresh ? O_CREAT | O_TRUNC : 0), 0600);
	struct record record;

	fill(&record, (uint64_t)number);
	if (file < 0 || write(file, &record, sizeof(record)) != (ssize_t)sizeof(record) || fsync(file) != 0)
		fail("writing", number);
	close(file);
	if (!fresh)
		return;
	if (renameat(directory, "fresh", directory, part_name(part)) != 0)
		fail("rename", number);
	sync_directory(number);
	if (part >= PARTS_KEPT)
		unlinkat(directory, part_name(part - PARTS_KEPT), 0);
}

int main(int argc, char **argv)
{
	long next, count;

	if (argc < 2) {
		fprintf(stderr, "usage: records DIR [COUNT]\n");
		return 2;
	}
	directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		fail(argv[1], 0);
	next = check_all();
	printf("have %ld\n", next);
	fflush(stdout);
	count = argc > 2 ? atol(argv[2]) : -1;
	for (long number = next; count < 0 || number < next + count; number++) {
		write_record(number);
		printf("%ld\n", number);
		fflush(stdout);
	}
	return 0;
}
