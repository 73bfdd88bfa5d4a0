// SPDX-License-Identifier: Apache-2.0
#include "root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disks.h"
#include "mounts.h"
#include "xattrs.h"

/* In the initramfs, beside this program. */
#define LOWER "/.uk/lower"
#define WRITABLE "/.uk/writable"
#define UPPER WRITABLE "/upper"
#define WORK WRITABLE "/work"
#define MERGED "/.uk/root"

static int fail(struct failure *failure, const char *what)
{
	failure_set(failure, "root", errno, 125, "cannot %s: %s", what, strerror(errno));
	return -1;
}

static int find(const char *serial, char *device, size_t size, struct failure *failure)
{
	if (disk_find(serial, device, size) == 0)
		return 0;
	failure_set(failure, "root", ENODEV, 125, "there is no disk with the serial %s", serial);
	return -1;
}

/* `words`: SERIAL:FSTYPE. */
static int mount_lower(const char *words, struct failure *failure)
{
	char serial[64], device[64];
	const char *type = strchr(words, ':');

	if (!type || (size_t)(type - words) >= sizeof(serial)) {
		failure_set(failure, "root", EINVAL, 125, "the root block:%s is not block:SERIAL:FSTYPE", words);
		return -1;
	}
	snprintf(serial, sizeof(serial), "%.*s", (int)(type++ - words), words);
	if (find(serial, device, sizeof(device), failure) != 0)
		return -1;
	mkdir(LOWER, 0755);
	if (mount(device, LOWER, type, MS_RDONLY, "") != 0)
		return fail(failure, "mount the disk of the image");
	return 0;
}

/* `words`: tmpfs:SIZE, as tmpfs takes a size, or disk:SERIAL. */
static int mount_writable(const char *words, struct failure *failure)
{
	char device[64], options[64];

	mkdir(WRITABLE, 0755);
	if (strncmp(words, "disk:", 5) == 0) {
		if (find(words + 5, device, sizeof(device), failure) != 0)
			return -1;
		if (mount(device, WRITABLE, "ext4", 0, "") != 0)
			return fail(failure, "mount the disk for what is written");
		return 0;
	}
	if (strncmp(words, "tmpfs:", 6) != 0) {
		failure_set(failure, "root", ENOSYS, 125, "this guest cannot write to %s", words);
		return -1;
	}
	snprintf(options, sizeof(options), "mode=0755,size=%.20s", words + 6);
	if (mount("tmpfs", WRITABLE, "tmpfs", 0, options) != 0)
		return fail(failure, "mount a tmpfs for what is written");
	return 0;
}

/* The merged root has the attributes of the upper directory: those of the image's root go there. */
static int make_upper(struct failure *failure)
{
	struct stat root;

	if (stat(LOWER, &root) != 0 || (mkdir(UPPER, 0755) != 0 && errno != EEXIST) ||
	    (mkdir(WORK, 0700) != 0 && errno != EEXIST) || chown(UPPER, root.st_uid, root.st_gid) != 0 ||
	    xattrs_copy(LOWER, UPPER) != 0 || chmod(UPPER, root.st_mode & 07777) != 0)
		return fail(failure, "prepare the directory for what is written");
	return 0;
}

/* As switch_root does: a root that the kernel made cannot be left by pivot_root. */
static int enter(struct failure *failure)
{
	if (chdir(MERGED) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
		return fail(failure, "enter the root");
	mounts_early();
	return 0;
}

int root_enter(const struct frame *start, struct failure *failure)
{
	const char *root = record_find(start, "root");
	const char *writable = record_find(start, "writable");

	if (!root || strcmp(root, "initramfs") == 0)
		return 0;
	if (strncmp(root, "block:", 6) != 0) {
		failure_set(failure, "root", ENOSYS, 125, "this guest cannot use the root %s", root);
		return -1;
	}
	if (mount_lower(root + 6, failure) != 0 || mount_writable(writable ? writable : "tmpfs:50%", failure) != 0 ||
	    make_upper(failure) != 0)
		return -1;
	mkdir(MERGED, 0755);
	if (mount("overlay", MERGED, "overlay", 0, "lowerdir=" LOWER ",upperdir=" UPPER ",workdir=" WORK) != 0)
		return fail(failure, "lay a writable layer over the image");
	return enter(failure);
}

static int is_read_only(const struct frame *start)
{
	const char *value = record_find(start, "read-only");

	return value && strcmp(value, "1") == 0;
}

int root_scratch(const struct frame *start, struct failure *failure)
{
	static const char *const scratch[][2] = {
		{ "/run", "mode=0755" },
		{ "/tmp", "mode=1777" },
		{ "/var/tmp", "mode=1777" },
	};

	for (size_t i = 0; is_read_only(start) && i < sizeof(scratch) / sizeof(scratch[0]); i++) {
		if (mount("tmpfs", scratch[i][0], "tmpfs", MS_NOSUID | MS_NODEV, scratch[i][1]) != 0 && errno != ENOENT)
			return fail(failure, "mount a tmpfs beside the read-only root");
	}
	return 0;
}

int root_protect(const struct frame *start, struct failure *failure)
{
	if (is_read_only(start) && mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return fail(failure, "make the root read-only");
	return 0;
}
