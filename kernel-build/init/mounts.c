// SPDX-License-Identifier: Apache-2.0
#include "mounts.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

struct mount_point {
	const char *type;
	const char *path;
	unsigned long flags;
	const char *options;
};

static const struct mount_point early[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "devtmpfs", "/dev", MS_NOSUID, "mode=0755" },
};

static const struct mount_point later[] = {
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666" },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777" },
	{ "mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
};

static const char *const links[][2] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
};

static void mount_all(const struct mount_point *points, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct mount_point *point = &points[i];

		mkdir(point->path, 0755);
		if (mount(point->type, point->path, point->type, point->flags, point->options) == 0)
			continue;
		/* ENODEV, and ENOENT in sysfs: a kernel without that file system. EBUSY: the kernel has mounted it already. */
		if (errno != ENODEV && errno != ENOENT && errno != EBUSY)
			log_line("cannot mount %s (error %d)", point->path, errno);
	}
}

static void scratch_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0)
		chmod(path, mode);
}

void mounts_early(void)
{
	mount_all(early, sizeof(early) / sizeof(early[0]));
}

void mounts_for_program(void)
{
	mount_all(later, sizeof(later) / sizeof(later[0]));
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (symlink(links[i][0], links[i][1]) != 0 && errno != EEXIST)
			log_line("cannot link %s (error %d)", links[i][1], errno);
	}
	scratch_directory("/tmp", 01777);
	scratch_directory("/run", 0755);
}
