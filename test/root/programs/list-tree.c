// SPDX-License-Identifier: Apache-2.0
/*
 * list-tree ROOT [NAME...]: prints one line for each path below ROOT: all that a program can see of the file. The NAMEs
 * of ROOT's own entries are left out. Bytes that are not plain ASCII are printed as \xHH.
 *
 * path type mode uid gid links size mtime device xattrs content target
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LIST_MAX 65536

static char **skipped;

static void fail(const char *what, const char *path)
{
	fprintf(stderr, "list-tree: %s: %s: %s\n", path, what, strerror(errno));
	exit(1);
}

static void print_bytes(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		if (byte > ' ' && byte < 0x7f && !strchr("\\,=", byte))
			putchar(byte);
		else
			printf("\\x%02x", byte);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NAME=VALUE,... in order of the names; - for none. */
static void print_xattrs(const char *path)
{
	static char names[LIST_MAX], value[LIST_MAX];
	char *sorted[256];
	size_t count = 0;
	ssize_t length = llistxattr(path, names, sizeof(names));

	if (length < 0 && errno != ENOTSUP)
		fail("llistxattr", path);
	for (ssize_t at = 0; at < length && count < 256; at += (ssize_t)strlen(names + at) + 1)
		sorted[count++] = names + at;
	qsort(sorted, count, sizeof(*sorted), compare);
	for (size_t i = 0; i < count; i++) {
		ssize_t size = lgetxattr(path, sorted[i], value, sizeof(value));
		if (size < 0)
			fail(sorted[i], path);
		print_bytes(sorted[i], strlen(sorted[i]));
		putchar('=');
		print_bytes(value, (size_t)size);
		putchar(',');
	}
	putchar(count ? ' ' : '-');
	if (!count)
		putchar(' ');
}

/* FNV-1a. */
static void print_content(const char *path)
{
	static unsigned char buffer[65536];
	uint64_t hash = 0xcbf29ce484222325u;
	int file = open(path, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	ssize_t length;

	if (file < 0)
		fail("open", path);
	while ((length = read(file, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < length; i++)
			hash = (hash ^ buffer[i]) * 0x100000001b3u;
	if (length < 0)
		fail("read", path);
	close(file);
	printf("%016llx", (unsigned long long)hash);
}

static void print_target(const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target));

	if (length < 0)
		fail("readlink", path);
	print_bytes(target, (size_t)length);
}

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR: return 'd';
	case S_IFREG: return 'f';
	case S_IFLNK: return 'l';
	case S_IFCHR: return 'c';
	case S_IFBLK: return 'b';
	case S_IFIFO: return 'p';
	default: return '?';
	}
}

static void print_file(const char *path, const struct stat *of)
{
	char type = type_of(of->st_mode);
	int device = type == 'c' || type == 'b';

	/* "./a" is printed as "/a". */
	print_bytes(path + 1, strlen(path + 1));
	if (!path[1])
		putchar('/');
	/* How large a directory is, is the file system's own affair. */
	printf(" %c %04o %u %u %lu %lld %lld %u:%u ", type, of->st_mode & 07777, of->st_uid, of->st_gid,
	       (unsigned long)of->st_nlink, type == 'd' ? 0LL : (long long)of->st_size, (long long)of->st_mtime,
	       device ? major(of->st_rdev) : 0, device ? minor(of->st_rdev) : 0);
	print_xattrs(path);
	if (type == 'f')
		print_content(path);
	else
		putchar('-');
	putchar(' ');
	if (type == 'l')
		print_target(path);
	else
		putchar('-');
	putchar('\n');
}

static int is_skipped(const char *name, int depth)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 1;
	for (char **one = skipped; depth == 0 && *one; one++)
		if (strcmp(*one, name) == 0)
			return 1;
	return 0;
}

static void walk(char *path, size_t length, int depth)
{
	struct stat of;
	struct dirent *entry;
	DIR *directory;

	if (lstat(path, &of) != 0)
		fail("lstat", path);
	print_file(path, &of);
	if (!S_ISDIR(of.st_mode))
		return;
	directory = opendir(path);
	if (!directory)
		fail("opendir", path);
	while ((errno = 0, entry = readdir(directory))) {
		if (is_skipped(entry->d_name, depth))
			continue;
		size_t more = (size_t)snprintf(path + length, PATH_MAX - length, "/%s", entry->d_name);
		if (length + more >= PATH_MAX) {
			errno = ENAMETOOLONG;
			fail(entry->d_name, path);
		}
		walk(path, length + more, depth + 1);
		path[length] = 0;
	}
	if (errno)
		fail("readdir", path);
	closedir(directory);
}

int main(int argc, char **argv)
{
	static char path[PATH_MAX] = ".";

	if (argc < 2) {
		fprintf(stderr, "usage: list-tree ROOT [NAME...]\n");
		return 2;
	}
	skipped = argv + 2;
	if (chdir(argv[1]) != 0)
		fail("chdir", argv[1]);
	walk(path, 1, 0);
	return fflush(stdout) == 0 ? 0 : 1;
}
