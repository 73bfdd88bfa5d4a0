// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "paths.h"
#include "tar.h"

#define EXTENSION_MAX 65536

/* What the headers before a file say of it. */
struct entry {
	char name[PATH_MAX];
	char link[PATH_MAX];
	char type;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size;
	time_t mtime;
	dev_t device;
};

static char chunk[65536];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	fflush(stderr);
	_exit(1);
}

static void need(void *bytes, size_t length)
{
	if (tar_read(bytes, length) != 0)
		fail("the archive is cut off");
}

static void skip(uint64_t length)
{
	while (length) {
		size_t want = length < sizeof(chunk) ? (size_t)length : sizeof(chunk);
		need(chunk, want);
		length -= want;
	}
}

static uint64_t padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static void set_text(char to[PATH_MAX], const char *from, size_t length)
{
	if (length >= PATH_MAX)
		fail("the archive has a name that is too long");
	memcpy(to, from, length);
	to[length] = 0;
}

static void apply_record(struct entry *entry, const char *key, const char *value, size_t length)
{
	if (strcmp(key, "path") == 0)
		set_text(entry->name, value, length);
	else if (strcmp(key, "linkpath") == 0)
		set_text(entry->link, value, length);
	else if (strcmp(key, "size") == 0)
		entry->size = strtoull(value, NULL, 10);
	else if (strcmp(key, "mtime") == 0)
		entry->mtime = (time_t)strtoll(value, NULL, 10);
	else if (strcmp(key, "uid") == 0)
		entry->uid = (uid_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "gid") == 0)
		entry->gid = (gid_t)strtoul(value, NULL, 10);
}

/* Records `LENGTH KEY=VALUE\n`; `text` has a NUL behind its last byte. */
static void apply_extension(struct entry *entry, char *text, size_t length)
{
	while (length) {
		char *end, *equals;
		size_t size = strtoul(text, &end, 10);

		if (*end != ' ' || size > length || size < (size_t)(end - text) + 3 || text[size - 1] != '\n' ||
		    !(equals = memchr(end, '=', size - (size_t)(end - text))))
			fail("the archive has a damaged extended header");
		text[size - 1] = *equals = 0;
		apply_record(entry, end + 1, equals + 1, (size_t)(text + size - 2 - equals));
		text += size;
		length -= size;
	}
}

static void read_extension(char *text, uint64_t size)
{
	if (size > EXTENSION_MAX)
		fail("the archive has an extended header that is too long");
	need(text, padded(size));
	text[size] = 0;
}

static void apply_header(struct entry *entry, const struct tar_header *header)
{
	entry->type = header->type;
	entry->mode = (mode_t)tar_number(header->mode, sizeof(header->mode)) & 07777;
	entry->uid = (uid_t)tar_number(header->uid, sizeof(header->uid));
	entry->gid = (gid_t)tar_number(header->gid, sizeof(header->gid));
	entry->size = tar_number(header->size, sizeof(header->size));
	entry->mtime = (time_t)tar_number(header->mtime, sizeof(header->mtime));
	entry->device = makedev(tar_number(header->major, sizeof(header->major)),
				tar_number(header->minor, sizeof(header->minor)));
	set_text(entry->name, header->name, strnlen(header->name, sizeof(header->name)));
	set_text(entry->link, header->link, strnlen(header->link, sizeof(header->link)));
	if (header->prefix[0] && memcmp(header->magic, "ustar", 6) == 0) {
		snprintf(entry->name, sizeof(entry->name), "%.155s/%.100s", header->prefix, header->name);
	}
}

/* 1: an entry. 0: the archive's end. */
static int next(struct entry *entry)
{
	static char text[EXTENSION_MAX + TAR_BLOCK + 1];
	struct tar_header header;
	size_t length = 0;

	for (;;) {
		need(&header, sizeof(header));
		if (header.name[0] == 0 && header.checksum[0] == 0)
			return 0;
		if (!tar_is_sound(&header))
			fail("what comes is no tar archive");
		if (header.type != 'x' && header.type != 'g')
			break;
		uint64_t size = tar_number(header.size, sizeof(header.size));
		read_extension(text, size);
		length = header.type == 'x' ? size : 0;
	}
	apply_header(entry, &header);
	apply_extension(entry, text, length);
	return 1;
}

/* The path below the directory that this process is in. */
static const char *below(char *name)
{
	for (char *part = name; part; part = strchr(part, '/')) {
		while (*part == '/')
			part++;
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
			fail("the archive leads out of its directory: %s", name);
	}
	while (*name == '/' || (name[0] == '.' && (name[1] == '/' || !name[1])))
		name++;
	return *name ? name : ".";
}

static void make_parents(const char *path)
{
	char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (slash) {
		*slash = 0;
		path_make(parent);
	}
	free(parent);
}

static void copy_content(int fd, const char *path, uint64_t size)
{
	for (uint64_t left = size; left;) {
		size_t want = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);

		need(chunk, want);
		for (size_t done = 0; done < want;) {
			ssize_t put = write(fd, chunk + done, want - done);
			if (put < 0 && errno == EINTR)
				continue;
			if (put < 0)
				fail("cannot write %s: %s", path, strerror(errno));
			done += (size_t)put;
		}
		left -= want;
	}
	skip(padded(size) - size);
}

static void make_file(const char *path, const struct entry *entry)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		fail("cannot make %s: %s", path, strerror(errno));
	copy_content(fd, path, entry->size);
	if (close(fd) != 0)
		fail("cannot write %s: %s", path, strerror(errno));
}

static void make_directory(const char *path)
{
	struct stat about;

	if (mkdir(path, 0755) != 0 && (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)))
		fail("cannot make the folder %s: %s", path, strerror(errno));
}

static int make_node(const char *path, char *link, const struct entry *entry)
{
	switch (entry->type) {
	case '1':
		return linkat(AT_FDCWD, below(link), AT_FDCWD, path, 0);
	case '2':
		return symlink(link, path);
	case '3':
		return mknod(path, S_IFCHR | 0600, entry->device);
	case '4':
		return mknod(path, S_IFBLK | 0600, entry->device);
	case '6':
		return mkfifo(path, 0600);
	}
	errno = EINVAL;
	return -1;
}

static void unpack(struct entry *entry)
{
	const char *path = below(entry->name);
	int is_file = entry->type == '0' || entry->type == 0 || entry->type == '7';
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = entry->mtime } };

	make_parents(path);
	if (entry->type == '5')
		make_directory(path);
	else if (unlink(path) != 0 && errno != ENOENT)
		fail("cannot replace %s: %s", path, strerror(errno));
	if (is_file)
		make_file(path, entry);
	else if (entry->type != '5' && make_node(path, entry->link, entry) != 0)
		fail("cannot make %s: %s", path, strerror(errno));
	if (!is_file)
		skip(padded(entry->size));
	/* The directory that is unpacked into stays as it is, and so does a file that gets one more name. */
	if (entry->type == '1' || strcmp(path, ".") == 0)
		return;
	/* A file system that knows no owners keeps none. */
	if (lchown(path, entry->uid, entry->gid) != 0 && errno != EPERM && errno != ENOSYS)
		fail("cannot give %s its owner: %s", path, strerror(errno));
	if (entry->type != '2' && chmod(path, entry->mode) != 0)
		fail("cannot give %s its mode: %s", path, strerror(errno));
	utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

int archive_unpack(const struct frame *request)
{
	static struct entry entry;
	const char *directory = record_find(request, "arg");

	if (!directory || chdir(directory) != 0)
		fail("%s: %s", directory ? directory : "no directory", strerror(errno));
	umask(0);
	while (next(&entry))
		unpack(&entry);
	/* Whoever writes should not be ended by what stands behind the archive. */
	while (read(0, chunk, sizeof(chunk)) > 0)
		;
	return 0;
}
