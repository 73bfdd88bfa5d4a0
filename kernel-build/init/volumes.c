// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "disks.h"
#include "log.h"
#include "paths.h"
#include "populate.h"

/* The page cache serves files that are mapped; messages carry as much as virtio lets them. */
#define SHARE_9P "trans=virtio,version=9p2000.L,msize=512000,cache=mmap"

/* What was killed may need a moment to let go of its files. */
#define BUSY_TRIES 1000
#define BUSY_MS 2

struct volume {
	const char *kind; /* of file system */
	const char *source;
	const char *path;
	char device[64];
	char data[512];
	unsigned long flags;
	int populate;
};

static struct {
	const char **paths;
	size_t count;
} mounted;

static const struct {
	const char *name;
	unsigned long flag;
} flag_options[] = {
	{ "ro", MS_RDONLY },
	{ "nosuid", MS_NOSUID },
	{ "nodev", MS_NODEV },
	{ "noexec", MS_NOEXEC },
};

static int is_known(const char *kind)
{
	return strcmp(kind, "ext4") == 0 || strcmp(kind, "9p") == 0 || strcmp(kind, "virtiofs") == 0 ||
	       strcmp(kind, "tmpfs") == 0;
}

static int add_data(struct volume *volume, const char *option)
{
	size_t length = strlen(volume->data);
	int added = snprintf(volume->data + length, sizeof(volume->data) - length, "%s%s", length ? "," : "", option);

	return added < (int)(sizeof(volume->data) - length) ? 0 : -1;
}

static int add_option(struct volume *volume, const char *option)
{
	for (size_t i = 0; i < sizeof(flag_options) / sizeof(flag_options[0]); i++) {
		if (strcmp(option, flag_options[i].name) == 0) {
			volume->flags |= flag_options[i].flag;
			return 0;
		}
	}
	if (strcmp(option, "populate") == 0) {
		volume->populate = 1;
		return 0;
	}
	return add_data(volume, option);
}

/* `words`: KIND:SOURCE:OPTIONS:PATH. It is cut into pieces in place. */
static int parse(char *words, struct volume *volume)
{
	char *options, *option;

	volume->kind = strsep(&words, ":");
	volume->source = strsep(&words, ":");
	options = strsep(&words, ":");
	volume->path = words;
	if (!volume->path || volume->path[0] != '/' || !is_known(volume->kind))
		return -1;
	while ((option = strsep(&options, ",")))
		if (*option && add_option(volume, option) != 0)
			return -1;
	return 0;
}

static int find_source(struct volume *volume)
{
	if (strcmp(volume->kind, "ext4") == 0)
		return disk_find(volume->source, volume->device, sizeof(volume->device));
	snprintf(volume->device, sizeof(volume->device), "%s", *volume->source ? volume->source : volume->kind);
	return strcmp(volume->kind, "9p") == 0 ? add_data(volume, SHARE_9P) : 0;
}

/* What the image has at that path goes into a fresh volume, as container engines do. */
static int mount_populated(const struct volume *volume)
{
	unsigned long writable = volume->flags & ~(unsigned long)MS_RDONLY;
	int image = open(volume->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int result = -1;

	if (image >= 0 && mount(volume->device, volume->path, volume->kind, writable, volume->data) == 0)
		result = populate(image, volume->path);
	if (result == 0 && (volume->flags & MS_RDONLY))
		result = mount(NULL, volume->path, NULL, MS_REMOUNT | volume->flags, NULL);
	int error = errno;
	close(image);
	errno = error;
	return result;
}

static int mount_one(const struct volume *volume)
{
	path_make(volume->path);
	if (volume->populate)
		return mount_populated(volume);
	return mount(volume->device, volume->path, volume->kind, volume->flags, volume->data);
}

static int mount_words(const char *words, struct failure *failure)
{
	/* Kept: the paths are needed at the end. */
	char *copy = strdup(words);
	struct volume volume = { 0 };

	if (!copy || parse(copy, &volume) != 0) {
		failure_set(failure, "mount", EINVAL, 125, "this guest cannot mount %.300s", words);
		return -1;
	}
	if (find_source(&volume) != 0) {
		failure_set(failure, "mount", ENODEV, 125, "there is no disk with the serial %s for %s", volume.source,
			    volume.path);
		return -1;
	}
	mounted.paths[mounted.count++] = volume.path;
	if (mount_one(&volume) == 0)
		return 0;
	if (errno == ENODEV)
		failure_set(failure, "mount", ENODEV, 125, "cannot mount %s: this kernel is built without %s", volume.path,
			    volume.kind);
	else
		failure_set(failure, "mount", errno, 125, "cannot mount %s: %s", volume.path, strerror(errno));
	return -1;
}

int volumes_mount(const struct frame *start, struct failure *failure)
{
	struct record record;
	size_t cursor = 0;

	mounted.paths = calloc(record_count(start, "mount") + 1, sizeof(*mounted.paths));
	if (!mounted.paths) {
		failure_set(failure, "mount", ENOMEM, 125, "no memory for the list of mounts");
		return -1;
	}
	while (record_next(start, &cursor, &record) == 1)
		if (record_is(&record, "mount") && mount_words(record.value, failure) != 0)
			return -1;
	return 0;
}

void volumes_unmount(void)
{
	const struct timespec moment = { .tv_nsec = BUSY_MS * 1000000L };

	while (mounted.count > 0) {
		const char *path = mounted.paths[--mounted.count];
		int tries = BUSY_TRIES;

		while (umount(path) != 0 && errno == EBUSY && --tries > 0)
			nanosleep(&moment, NULL);
		if (tries == 0 && mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
			log_line("cannot unmount %s (error %d)", path, errno);
	}
}
