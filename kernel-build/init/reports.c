// SPDX-License-Identifier: Apache-2.0
#include "reports.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "directory";
	if (S_ISREG(mode))
		return "file";
	return S_ISLNK(mode) ? "link" : "other";
}

int report_path(const struct frame *request)
{
	const char *path = record_find(request, "arg");
	struct stat about;

	if (!path)
		return 1;
	printf("own %s\n", lstat(path, &about) == 0 ? kind_of(about.st_mode) : "missing");
	printf("leads-to %s\n", stat(path, &about) == 0 ? kind_of(about.st_mode) : "missing");
	return fflush(stdout) != 0;
}

/* The beginning of a file; what is missing is empty. */
static size_t read_start(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = 0;
	return got > 0 ? (size_t)got : 0;
}

static void print_file(const char *path)
{
	static char text[16384];

	read_start(path, text, sizeof(text));
	printf("# %s\n%s%s", path, text, *text && text[strlen(text) - 1] != '\n' ? "\n" : "");
}

/* The next process's number, as text; NULL behind the last one. */
static const char *next_process(DIR *processes)
{
	struct dirent *entry;

	while ((entry = readdir(processes)))
		if (isdigit((unsigned char)entry->d_name[0]))
			return entry->d_name;
	return NULL;
}

/* The fields of /proc/PID/stat behind the name, which may hold anything. */
static const char *behind_name(const char *stat)
{
	const char *end = strrchr(stat, ')');

	return end && end[1] == ' ' ? end + 2 : NULL;
}

static int is_kernel_thread(const char *stat)
{
	const char *field = behind_name(stat);

	/* The flags are the seventh of them. */
	for (int i = 0; field && i < 6; i++)
		field = (field = strchr(field, ' ')) ? field + 1 : NULL;
	return !field || strtoul(field, NULL, 10) & PF_KTHREAD;
}

static size_t read_process(const char *number, const char *file, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/%s", number, file);
	return read_start(path, text, size);
}

int report_stats(const struct frame *request)
{
	char stat[1024];
	unsigned int count = 0;
	const char *number;
	DIR *processes = opendir("/proc");

	(void)request;
	print_file("/proc/meminfo");
	print_file("/proc/stat");
	print_file("/proc/net/dev");
	while (processes && (number = next_process(processes)))
		count += read_process(number, "stat", stat, sizeof(stat)) && !is_kernel_thread(stat);
	printf("# processes\n%u\n", count);
	return fflush(stdout) != 0;
}

static void print_process(const char *number)
{
	char stat[1024], command[1024], path[32];
	struct stat about;
	size_t length;

	if (!read_process(number, "stat", stat, sizeof(stat)) || is_kernel_thread(stat))
		return;
	snprintf(path, sizeof(path), "/proc/%.20s", number);
	if (lstat(path, &about) != 0)
		return;
	length = read_process(number, "cmdline", command, sizeof(command));
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)command[i] < ' ')
			command[i] = ' ';
	for (char *at = stat; *at; at++)
		if (*at == '\n')
			*at = ' ';
	printf("%u %s\n%s\n", (unsigned int)about.st_uid, stat, command);
}

int report_processes(const struct frame *request)
{
	const char *number;
	DIR *processes = opendir("/proc");

	(void)request;
	print_file("/proc/uptime");
	printf("# processes\n");
	while (processes && (number = next_process(processes)))
		print_process(number);
	return fflush(stdout) != 0;
}
