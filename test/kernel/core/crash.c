// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a guest: a child crashes with a thread beside it; its core goes out by virtio's port. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../programs/check.h"

static int *volatile nowhere;
static volatile unsigned long turns;

static void *turn_beside(void *unused)
{
	for (;;)
		turns++;
	return unused;
}

__attribute__((noinline)) static int read_through(const char *what)
{
	return what ? *nowhere : 0;
}

__attribute__((noinline)) static int fail(int depth)
{
	return depth == 0 ? read_through("nothing") : fail(depth - 1) + 1;
}

static void crash(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	pthread_t thread;

	setrlimit(RLIMIT_CORE, &limit);
	pthread_create(&thread, NULL, turn_beside, NULL);
	while (turns == 0)
		sched_yield();
	fail(2);
}

static long send_core(void)
{
	int from = open("/core", O_RDONLY), to = open("/dev/vport0p1", O_WRONLY);
	static char bytes[65536];
	long sent = 0, count, done;

	while ((count = read(from, bytes, sizeof(bytes))) > 0) {
		for (long at = 0; at < count; at += done) {
			done = write(to, bytes + at, (unsigned long)(count - at));
			if (done <= 0)
				return -1;
		}
		sent += count;
	}
	close(from);
	close(to);
	return sent;
}

int main(void)
{
	struct stat core;
	int status;

	begin();
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	status = chdir("/");
	status = in_child(crash);
	CHECK("a crash dumps a core", WIFSIGNALED(status) && WCOREDUMP(status), status);
	CHECK("the core is sent", stat("/core", &core) == 0 && send_core() == core.st_size, core.st_size);
	end();
	return 1;
}
