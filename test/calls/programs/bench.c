// SPDX-License-Identifier: Apache-2.0
/*
 * What calls of the C library cost in ticks of the time stamp counter; in an emulator that counts instructions (-icount
 * shift=0) a tick is an instruction. The init of a guest, which it ends.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

static int zero, null;
static char byte;

static void nothing(void) { __asm__ volatile(""); }
static void call_getppid(void) { getppid(); }
static void call_read(void) { if (read(zero, &byte, 1) != 1) _exit(1); }
static void call_write(void) { if (write(null, &byte, 1) != 1) _exit(1); }

static void measure(const char *name, void (*volatile call)(void))
{
	uint64_t best = ~0ULL;

	/* The shortest of several, without the timer's interrupts. */
	for (int i = 0; i < 20; i++) {
		uint64_t begin = __rdtsc();

		for (int j = 0; j < 100; j++)
			call();
		begin = __rdtsc() - begin;
		if (begin < best)
			best = begin;
	}
	printf("%s: %.2f\n", name, (double)best / 100);
}

static void measure_start(const char *name, char *environment[])
{
	char *arguments[] = { "/init", "end", NULL };
	uint64_t best = ~0ULL;

	for (int i = 0; i < 5; i++) {
		uint64_t begin = __rdtsc();
		pid_t child;

		if (posix_spawn(&child, "/init", NULL, NULL, arguments, environment) != 0)
			_exit(1);
		waitpid(child, NULL, 0);
		begin = __rdtsc() - begin;
		if (begin < best)
			best = begin;
	}
	printf("%s: %lu\n", name, (unsigned long)best);
}

static void *end_thread(void *thread) { return thread; }

int main(int argc, char *argv[])
{
	char *plain[] = { "LD_LIBRARY_PATH=/", NULL };
	char *calls[] = { "LD_LIBRARY_PATH=/", "LD_PRELOAD=/ring0-calls.so", NULL };
	pthread_t thread;

	if (argc > 1 && strcmp(argv[1], "end") == 0)
		return 0;
	if (getpid() == 1)
		mount("none", "/dev", "devtmpfs", 0, NULL);
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	measure("loop", nothing);
	measure("getppid", call_getppid);
	measure("read", call_read);
	measure("write", call_write);
	/* From now on the library asks for cancellation around calls. */
	pthread_create(&thread, NULL, end_thread, NULL);
	pthread_join(thread, NULL);
	measure("read, with threads", call_read);
	measure_start("process", plain);
	measure_start("process with calls", calls);
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_AUTOBOOT);
	return 0;
}
