// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "populate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xattrs.h"

/* Stands in a volume while it is filled: one that a machine left so is filled anew. */
#define MARK ".uk-populating"

/* Each level keeps two directories open, and a few of the stack's kilobytes. */
#define DEPTH_MAX 200

/* A file with several names, and the first of them in the volume. */
struct linked {
	dev_t device;
	ino_t inode;
	char *path;
	struct linked *next;
};

struct copy {
	int volume; /* its root */
	char path[PATH_MAX]; /* from there to what is being copied */
	struct linked *linked;
};

static int copy_directory(struct copy *copy, int from, int to, int depth);

static int is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void close_both(int first, int second)
{
	int error = errno;

	close(first);
	close(second);
	errno = error;
}

static int copy_bytes(int from, int to)
{
	ssize_t sent;

	while ((sent = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return (int)sent;
}

static int copy_file(int from, int to, const char *name)
{
	int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int made = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result = source >= 0 && made >= 0 ? copy_bytes(source, made) : -1;

	close_both(source, made);
	return result;
}

static int copy_symlink(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(from, name, target, sizeof(target) - 1);

	if (length < 0)
		return -1;
	target[length] = 0;
	return symlinkat(target, to, name);
}

static int copy_below(struct copy *copy, int from, int to, const char *name, int depth)
{
	int source, made, result;

	if (depth == DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	if (mkdirat(to, name, 0700) != 0)
		return -1;
	source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	made = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	result = source >= 0 && made >= 0 ? copy_directory(copy, source, made, depth + 1) : -1;
	close_both(source, made);
	return result;
}

/* The owner first: changing it takes capabilities away. */
static int copy_attributes(int from, int to, const char *name, const struct stat *of)
{
	struct timespec times[2] = { of->st_atim, of->st_mtim };
	char source[NAME_MAX + 64], made[NAME_MAX + 64];

	snprintf(source, sizeof(source), "/proc/self/fd/%d/%s", from, name);
	snprintf(made, sizeof(made), "/proc/self/fd/%d/%s", to, name);
	if (fchownat(to, name, of->st_uid, of->st_gid, AT_SYMLINK_NOFOLLOW) != 0 || xattrs_copy(source, made) != 0)
		return -1;
	if (!S_ISLNK(of->st_mode) && fchmodat(to, name, of->st_mode & 07777, 0) != 0)
		return -1;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

/* 1: it is a further name of a file that is there, and is linked. 0: it is to be copied. */
static int link_again(struct copy *copy, const struct stat *of, int to, const char *name)
{
	struct linked *linked;

	if (of->st_nlink < 2 || S_ISDIR(of->st_mode))
		return 0;
	for (linked = copy->linked; linked; linked = linked->next)
		if (linked->device == of->st_dev && linked->inode == of->st_ino)
			return linkat(copy->volume, linked->path, to, name, 0) == 0 ? 1 : -1;
	linked = calloc(1, sizeof(*linked));
	if (linked)
		linked->path = strdup(copy->path);
	if (!linked || !linked->path) {
		free(linked);
		return -1;
	}
	linked->device = of->st_dev;
	linked->inode = of->st_ino;
	linked->next = copy->linked;
	copy->linked = linked;
	return 0;
}

static int copy_content(struct copy *copy, int from, int to, const char *name, const struct stat *of, int depth)
{
	if (S_ISDIR(of->st_mode))
		return copy_below(copy, from, to, name, depth);
	if (S_ISREG(of->st_mode))
		return copy_file(from, to, name);
	if (S_ISLNK(of->st_mode))
		return copy_symlink(from, to, name);
	return mknodat(to, name, of->st_mode, of->st_rdev);
}

static int copy_entry(struct copy *copy, int from, int to, const char *name, int depth)
{
	size_t before = strlen(copy->path);
	struct stat of;
	int result;

	if (fstatat(from, name, &of, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (snprintf(copy->path + before, sizeof(copy->path) - before, "%s%s", before ? "/" : "", name) >=
	    (int)(sizeof(copy->path) - before)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	result = link_again(copy, &of, to, name);
	if (result == 0) {
		result = copy_content(copy, from, to, name, &of, depth);
		if (result == 0)
			result = copy_attributes(from, to, name, &of);
	}
	copy->path[before] = 0;
	return result < 0 ? -1 : 0;
}

/* For each entry of a directory but its own names; ends with the first -1. */
static int each_entry(int directory, int (*work)(const char *name, void *data), void *data)
{
	DIR *entries = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	int result = entries ? 0 : -1, error;

	while (result == 0 && (errno = 0, entry = readdir(entries)))
		if (!is_dot(entry->d_name))
			result = work(entry->d_name, data);
	if (result == 0 && errno != 0)
		result = -1;
	error = errno;
	if (entries)
		closedir(entries);
	errno = error;
	return result;
}

struct level {
	struct copy *copy;
	int from, to, depth;
};

static int copy_one(const char *name, void *data)
{
	struct level *level = data;

	return copy_entry(level->copy, level->from, level->to, name, level->depth);
}

static int copy_directory(struct copy *copy, int from, int to, int depth)
{
	struct level level = { copy, from, to, depth };

	return each_entry(from, copy_one, &level);
}

static int remove_one(const char *name, void *data)
{
	int directory = *(int *)data, below;

	if (unlinkat(directory, name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return -1;
	below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0 || each_entry(below, remove_one, &below) != 0) {
		close_both(below, -1);
		return -1;
	}
	close(below);
	return unlinkat(directory, name, AT_REMOVEDIR);
}

static int remove_but_mark(const char *name, void *data)
{
	return strcmp(name, MARK) == 0 ? 0 : remove_one(name, data);
}

static int is_nothing(const char *name, void *data)
{
	(void)name;
	(void)data;
	return -1;
}

/* Whether the volume is to be filled: it is empty, or a machine ended while it filled it. */
static int is_fresh(int volume)
{
	/* mke2fs makes it; a volume with nothing else is fresh. */
	unlinkat(volume, "lost+found", AT_REMOVEDIR);
	return faccessat(volume, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || each_entry(volume, is_nothing, NULL) == 0;
}

static void forget_links(struct copy *copy)
{
	while (copy->linked) {
		struct linked *linked = copy->linked;

		copy->linked = linked->next;
		free(linked->path);
		free(linked);
	}
}

static int copy_all(int from, int to)
{
	struct copy copy = { .volume = to };
	int result = copy_directory(&copy, from, to, 0);

	forget_links(&copy);
	return result;
}

/* On the disk, before and after: what stands in the journal behind the mark may be there without what it marks. */
static int fill(int from, int to)
{
	struct stat of;
	int mark = openat(to, MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (mark < 0 || syncfs(to) != 0 || each_entry(to, remove_but_mark, &to) != 0 || fstat(from, &of) != 0 ||
	    copy_all(from, to) != 0 || copy_attributes(from, to, ".", &of) != 0) {
		close_both(mark, -1);
		return -1;
	}
	close(mark);
	return syncfs(to) == 0 && unlinkat(to, MARK, 0) == 0 ? 0 : -1;
}

int populate(int image, const char *volume)
{
	int from = openat(image, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = -1;

	if (from >= 0 && to >= 0)
		result = is_fresh(to) ? fill(from, to) : 0;
	close_both(from, to);
	return result;
}
