// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* linux/random.h, which musl's own headers do not have. */
#define SEED_MAX 512
struct rand_pool_info {
	int entropy_count; /* bits */
	int buf_size;	   /* bytes */
	unsigned char buf[SEED_MAX];
};
#define RNDADDENTROPY _IOW('R', 0x03, int[2])

void settings_clock(const struct frame *start)
{
	uint64_t nanoseconds;

	if (parse_number(record_find(start, "time"), &nanoseconds) != 0)
		return;
	struct timespec now = {
		.tv_sec = (time_t)(nanoseconds / 1000000000u),
		.tv_nsec = (long)(nanoseconds % 1000000000u),
	};
	if (clock_settime(CLOCK_REALTIME, &now) != 0)
		log_line("cannot set the clock (error %d)", errno);
}

static int hexadecimal(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

void settings_seed(const struct frame *start)
{
	const char *text = record_find(start, "seed");
	struct rand_pool_info pool = { 0 };

	if (!text)
		return;
	for (; text[0] && text[1] && pool.buf_size < SEED_MAX; text += 2) {
		int high = hexadecimal(text[0]), low = hexadecimal(text[1]);
		if (high < 0 || low < 0)
			break;
		pool.buf[pool.buf_size++] = (unsigned char)(high << 4 | low);
	}
	pool.entropy_count = pool.buf_size * 8;

	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) != 0)
		log_line("cannot seed the random generator (error %d)", errno);
	if (fd >= 0)
		close(fd);
	memset(&pool, 0, sizeof(pool));
}

/* Replaces the file, never the target of a link that an image may have put there. */
static FILE *replace(const char *path)
{
	unlink(path);
	FILE *file = fopen(path, "wxe");
	if (!file)
		log_line("cannot write %s (error %d)", path, errno);
	else
		fchmod(fileno(file), 0644);
	return file;
}

static void write_hosts(const char *hostname, const char *address)
{
	FILE *file = replace("/etc/hosts");

	if (!file)
		return;
	fprintf(file, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (hostname)
		fprintf(file, "%.*s\t%s\n", address ? (int)strcspn(address, "/") : 9, address ? address : "127.0.1.1",
			hostname);
	fclose(file);
}

static void write_resolver(const struct frame *start)
{
	struct record record;
	size_t cursor = 0;
	FILE *file = replace("/etc/resolv.conf");

	if (!file)
		return;
	while (record_next(start, &cursor, &record) == 1)
		if (record_is(&record, "net-dns"))
			fprintf(file, "nameserver %s\n", record.value);
	fclose(file);
}

void settings_names(const struct frame *start)
{
	const char *hostname = record_find(start, "hostname");

	mkdir("/etc", 0755);
	if (hostname) {
		if (sethostname(hostname, strlen(hostname)) != 0)
			log_line("cannot set the host name (error %d)", errno);
		FILE *file = replace("/etc/hostname");
		if (file) {
			fprintf(file, "%s\n", hostname);
			fclose(file);
		}
	}
	write_hosts(hostname, record_find(start, "net-address"));
	if (record_count(start, "net-dns"))
		write_resolver(start);
}
