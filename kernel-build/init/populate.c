// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "populate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each level keeps two directories open. */
#define DEPTH_MAX 128

static int copy_directory(int from, int to, int depth);

static int is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
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
	int copy = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result = source >= 0 && copy >= 0 ? copy_bytes(source, copy) : -1;
	int error = errno;

	close(source);
	close(copy);
	errno = error;
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

static int copy_below(int from, int to, const char *name, int depth)
{
	int source, copy, result, error;

	if (depth == DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	if (mkdirat(to, name, 0700) != 0)
		return -1;
	source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	copy = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	result = source >= 0 && copy >= 0 ? copy_directory(source, copy, depth + 1) : -1;
	error = errno;
	close(source);
	close(copy);
	errno = error;
	return result;
}

static int copy_attributes(int to, const char *name, const struct stat *of)
{
	struct timespec times[2] = { of->st_atim, of->st_mtim };

	if (fchownat(to, name, of->st_uid, of->st_gid, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (!S_ISLNK(of->st_mode) && fchmodat(to, name, of->st_mode & 07777, 0) != 0)
		return -1;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_entry(int from, int to, const char *name, int depth)
{
	struct stat of;
	int result;

	if (fstatat(from, name, &of, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (S_ISDIR(of.st_mode))
		result = copy_below(from, to, name, depth);
	else if (S_ISREG(of.st_mode))
		result = copy_file(from, to, name);
	else if (S_ISLNK(of.st_mode))
		result = copy_symlink(from, to, name);
	else
		result = mknodat(to, name, of.st_mode, of.st_rdev);
	return result == 0 ? copy_attributes(to, name, &of) : -1;
}

/* Takes `from`, whose place in the directory it moves; leaves both open. */
static int copy_directory(int from, int to, int depth)
{
	DIR *entries = fdopendir(dup(from));
	struct dirent *entry;
	int result = entries ? 0 : -1;

	while (result == 0 && (errno = 0, entry = readdir(entries)))
		if (!is_dot(entry->d_name))
			result = copy_entry(from, to, entry->d_name, depth);
	if (result == 0 && errno != 0)
		result = -1;
	int error = errno;
	if (entries)
		closedir(entries);
	errno = error;
	return result;
}

static int is_empty(int directory)
{
	DIR *entries = fdopendir(dup(directory));
	struct dirent *entry;
	int empty = entries != NULL;

	while (empty && (entry = readdir(entries)))
		empty = is_dot(entry->d_name);
	if (entries)
		closedir(entries);
	return empty;
}

int populate(int image, const char *volume)
{
	int from = openat(image, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = -1, error;
	struct stat of;

	if (from >= 0 && to >= 0 && fstat(from, &of) == 0) {
		/* mke2fs makes it; a volume with nothing else is fresh. */
		unlinkat(to, "lost+found", AT_REMOVEDIR);
		result = 0;
		if (is_empty(to)) {
			result = copy_directory(from, to, 0);
			if (result == 0)
				result = fchown(to, of.st_uid, of.st_gid);
			if (result == 0)
				result = fchmod(to, of.st_mode & 07777);
		}
	}
	error = errno;
	close(from);
	close(to);
	errno = error;
	return result;
}
