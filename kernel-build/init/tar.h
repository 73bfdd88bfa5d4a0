/* SPDX-License-Identifier: Apache-2.0 */
/* The header of an archive's entry. */
#ifndef UK_TAR_H
#define UK_TAR_H

#include <stdint.h>
#include <sys/types.h>

#define TAR_BLOCK 512

/* ustar(5). Numbers are octal digits; nothing has to end with a NUL. */
struct tar_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[8];
	char owner[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

/* Writes digits with zeros before them, and a NUL behind. -1 where the number does not fit. */
int tar_put(char *field, size_t size, uint64_t number);

/* The number in a field: octal digits, or as GNU tar has it base 256. */
uint64_t tar_number(const char *field, size_t size);

/* Fills in the checksum. */
void tar_seal(struct tar_header *header);

/* Whether the checksum is right. */
int tar_is_sound(const struct tar_header *header);

/* Reads or writes all of it, from or to a pipe. 0, or -1. */
int tar_read(void *bytes, size_t length);
int tar_write(const void *bytes, size_t length);

#endif
