// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tar.h"

/* Files with several names that were written already: the next name is a hard link to the first. */
struct known {
	dev_t device;
	ino_t inode;
	char *name;
};

static struct {
	struct known *known;
	size_t count;
	int follow;
	int status;
} archive;

static char chunk[65536];

static void complain(const char *path, int error)
{
	fprintf(stderr, "%s: %s\n", path, strerror(error));
	archive.status = 1;
}

/* The output is a pipe to init: where it is gone, nobody waits. */
static void put(const void *bytes, size_t length)
{
	if (tar_write(bytes, length) != 0)
		_exit(1);
}

static void pad(uint64_t size)
{
	static const char zeros[TAR_BLOCK];

	put(zeros, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* One pax record: its length counts itself. */
static size_t add_record(char *records, size_t at, size_t size, const char *key, const char *value)
{
	size_t bare = strlen(key) + strlen(value) + 3, total = bare + 1;
	char digits[24];

	while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + bare != total)
		total = bare + strlen(digits);
	return at + (size_t)snprintf(records + at, size - at, "%zu %s=%s\n", total, key, value);
}

static size_t add_number(char *records, size_t at, size_t size, const char *key, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	return add_record(records, at, size, key, digits);
}

static void put_extension(const char *records, size_t length)
{
	struct tar_header header = { .name = "pax", .type = 'x', .magic = "ustar\0" "00" };

	tar_put(header.mode, sizeof(header.mode), 0644);
	tar_put(header.uid, sizeof(header.uid), 0);
	tar_put(header.gid, sizeof(header.gid), 0);
	tar_put(header.mtime, sizeof(header.mtime), 0);
	tar_put(header.size, sizeof(header.size), length);
	tar_seal(&header);
	put(&header, sizeof(header));
	put(records, length);
	pad(length);
}

static void put_header(const char *name, const char *link, char type, const struct stat *about, uint64_t size)
{
	static char records[2 * PATH_MAX + 256];
	struct tar_header header = { .type = type, .magic = "ustar\0" "00" };
	uint64_t mtime = about->st_mtime > 0 ? (uint64_t)about->st_mtime : 0;
	size_t length = 0;

	strncpy(header.name, name, sizeof(header.name));
	if (strlen(name) > sizeof(header.name))
		length = add_record(records, length, sizeof(records), "path", name);
	strncpy(header.link, link, sizeof(header.link));
	if (strlen(link) > sizeof(header.link))
		length = add_record(records, length, sizeof(records), "linkpath", link);
	tar_put(header.mode, sizeof(header.mode), about->st_mode & 07777);
	if (tar_put(header.uid, sizeof(header.uid), about->st_uid) != 0)
		length = add_number(records, length, sizeof(records), "uid", about->st_uid);
	if (tar_put(header.gid, sizeof(header.gid), about->st_gid) != 0)
		length = add_number(records, length, sizeof(records), "gid", about->st_gid);
	if (tar_put(header.size, sizeof(header.size), size) != 0)
		length = add_number(records, length, sizeof(records), "size", size);
	if (tar_put(header.mtime, sizeof(header.mtime), mtime) != 0)
		length = add_number(records, length, sizeof(records), "mtime", mtime);
	tar_put(header.major, sizeof(header.major), type == '3' || type == '4' ? major(about->st_rdev) : 0);
	tar_put(header.minor, sizeof(header.minor), type == '3' || type == '4' ? minor(about->st_rdev) : 0);
	if (length)
		put_extension(records, length);
	tar_seal(&header);
	put(&header, sizeof(header));
}

/* As many bytes as the header has promised: a file that became shorter is filled up with zeros. */
static void put_content(int fd, uint64_t size, const char *path)
{
	for (uint64_t left = size; left;) {
		size_t want = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
		ssize_t got = read(fd, chunk, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			complain(path, got < 0 ? errno : EIO);
			memset(chunk, 0, want);
			got = (ssize_t)want;
		}
		put(chunk, (size_t)got);
		left -= (uint64_t)got;
	}
	pad(size);
}

/* The file's first name in the archive; NULL where this is the first. */
static const char *known_as(const struct stat *about, const char *name)
{
	struct known *more;

	if (about->st_nlink < 2)
		return NULL;
	for (size_t i = 0; i < archive.count; i++)
		if (archive.known[i].device == about->st_dev && archive.known[i].inode == about->st_ino)
			return archive.known[i].name;
	more = realloc(archive.known, (archive.count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	archive.known = more;
	archive.known[archive.count++] = (struct known){ about->st_dev, about->st_ino, strdup(name) };
	return NULL;
}

static void pack_file(const char *path, const char *name, const struct stat *about)
{
	const char *first = known_as(about, name);
	int fd;

	if (first) {
		put_header(name, first, '1', about, 0);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		complain(path, errno);
		return;
	}
	put_header(name, "", '0', about, (uint64_t)about->st_size);
	put_content(fd, (uint64_t)about->st_size, path);
	close(fd);
}

static void pack_link(const char *path, const char *name, const struct stat *about)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0) {
		complain(path, errno);
		return;
	}
	target[length] = 0;
	put_header(name, target, '2', about, 0);
}

/* File systems of the kernel's own: their files have no size, and some have no end. */
static int is_of_kernel(const char *path)
{
	static const unsigned long types[] = { 0x9fa0 /* proc */, 0x62656572 /* sysfs */, 0x63677270 /* cgroup2 */,
					       0x1cd1 /* devpts */, 0x19800202 /* mqueue */ };
	struct statfs about;

	if (statfs(path, &about) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((unsigned long)about.f_type == types[i])
			return 1;
	return 0;
}

static void pack(const char *path, const char *name, dev_t parent);

static void pack_directory(const char *path, const char *name, const struct stat *about, dev_t parent)
{
	char *inner_path, *inner_name, directory[PATH_MAX];
	struct dirent *entry;
	DIR *stream;

	snprintf(directory, sizeof(directory), "%s/", name);
	put_header(directory, "", '5', about, 0);
	if (about->st_dev != parent && is_of_kernel(path))
		return;
	stream = opendir(path);
	if (!stream) {
		complain(path, errno);
		return;
	}
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (asprintf(&inner_path, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name) < 0 ||
		    asprintf(&inner_name, "%s/%s", name, entry->d_name) < 0)
			_exit(1);
		if (strlen(inner_path) >= PATH_MAX - 1 || strlen(inner_name) >= PATH_MAX - 1)
			complain(inner_path, ENAMETOOLONG);
		else
			pack(inner_path, inner_name, about->st_dev);
		free(inner_path);
		free(inner_name);
	}
	closedir(stream);
}

/* `parent`: the file system of the directory that it is in. */
static void pack(const char *path, const char *name, dev_t parent)
{
	struct stat about;

	if ((archive.follow ? stat(path, &about) : lstat(path, &about)) != 0) {
		complain(path, errno);
		return;
	}
	if (S_ISDIR(about.st_mode))
		pack_directory(path, name, &about, parent);
	else if (S_ISREG(about.st_mode))
		pack_file(path, name, &about);
	else if (S_ISLNK(about.st_mode))
		pack_link(path, name, &about);
	else if (S_ISCHR(about.st_mode) || S_ISBLK(about.st_mode))
		put_header(name, "", S_ISCHR(about.st_mode) ? '3' : '4', &about, 0);
	else if (S_ISFIFO(about.st_mode))
		put_header(name, "", '6', &about, 0);
	/* A socket is nothing without who listens at it. */
}

/* The last part of the path; `.` where it has none, and where it says so. */
static const char *base_of(char *path)
{
	size_t length = strlen(path);
	char *slash;

	while (length > 1 && path[length - 1] == '/')
		path[--length] = 0;
	slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : slash ? "." : path;
}

int archive_pack(const struct frame *request)
{
	static const char end[2 * TAR_BLOCK];
	static char path[PATH_MAX], real[PATH_MAX];
	const char *named = record_find(request, "arg");
	struct stat about;

	archive.follow = record_is_set(request, "follow");
	if (!named || !*named || strlen(named) >= sizeof(path) - 1) {
		fprintf(stderr, "no path\n");
		return 1;
	}
	strcpy(path, named);
	const char *name = base_of(path);
	/* A link is followed at the beginning only. */
	if (lstat(path, &about) != 0) {
		complain(path, errno);
		return archive.status;
	}
	if (archive.follow && stat(path, &about) == 0) {
		archive.follow = 0;
		pack(realpath(path, real) ? real : path, name, about.st_dev);
	} else
		pack(path, name, about.st_dev);
	put(end, sizeof(end));
	return archive.status;
}
