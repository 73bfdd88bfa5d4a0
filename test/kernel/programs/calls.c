// SPDX-License-Identifier: Apache-2.0
/* System calls by CALL, through the two entries that the auxiliary vector tells. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static unsigned long entry;

/* Out of the red zone, and with all that the lean entry may lose. */
static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("sub $128, %%rsp; call *%[entry]; add $128, %%rsp"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(nr), [entry] "r"(entry)
			 : "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
	return result;
}

#define CALL(nr, ...) CALL_(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(nr, a, b, c, d, e, f, ...) call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* A read() that another thread disturbs by signals. */
struct reading {
	int ends[2];
	pthread_t reader;
	pid_t id;
	int signals;
	int with_byte;
};

static volatile sig_atomic_t interrupted;

static void note(int signal)
{
	(void)signal;
	interrupted++;
}

/* Signals merge if the thread does not run in between: none is sent before the last one was handled. */
static void *disturb(void *argument)
{
	struct reading *reading = argument;

	for (int i = 0; i < reading->signals; i++) {
		wait_in_read(reading->id);
		pthread_kill(reading->reader, SIGUSR1);
		while (interrupted == i)
			usleep(1000);
	}
	if (reading->with_byte) {
		wait_in_read(reading->id);
		if (write(reading->ends[1], "x", 1) != 1)
			interrupted = -1000;
	}
	return NULL;
}

/* Waits in read() while signals come, then for the byte if there is to be one. */
static long interrupted_read(int flags, int signals, int with_byte, char *byte)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = flags };
	struct reading reading = { .reader = pthread_self(), .id = gettid(), .signals = signals,
				   .with_byte = with_byte };
	pthread_t other;
	long result;

	interrupted = 0;
	sigaction(SIGUSR1, &action, NULL);
	if (pipe(reading.ends) != 0)
		return -1000;
	pthread_create(&other, NULL, disturb, &reading);
	result = CALL(SYS_read, reading.ends[0], byte, 1);
	pthread_join(other, NULL);
	close(reading.ends[0]);
	close(reading.ends[1]);
	return result;
}

static void keep_busy(void)
{
	for (unsigned long i = 0; i < 1UL << 40; i++)
		__asm__ volatile("");
}

/* With NT set, the next IRET faults: that of whoever runs while this one sleeps. */
static int sleep_with_nested_task_flag(void)
{
	struct timespec short_time = { 0, 1000000 };
	pid_t child = fork();
	long result = 0;
	int status;

	if (child == 0)
		keep_busy();
	for (int i = 0; i < 50 && result == 0; i++) {
		__asm__ volatile("pushf; orl $0x4000, (%%rsp); popf" : : : "memory", "cc");
		result = CALL(SYS_nanosleep, &short_time, 0);
		__asm__ volatile("pushf; andl $~0x4000, (%%rsp); popf" : : : "memory", "cc");
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return result == 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The kernel has interrupts on while it copies, whatever the program did: a page that is not there yet is made. */
static long read_without_interrupts(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = memfd_create("read", 0);
	long result = write(file, "0123456789", 10);

	lseek(file, 0, SEEK_SET);
	__asm__ volatile("cli" : : : "memory");
	result = CALL(SYS_read, file, page, 10);
	__asm__ volatile("sti" : : : "memory");
	if (result == 10 && memcmp(page, "0123456789", 10) != 0)
		result = -1000;
	munmap(page, 4096);
	close(file);
	return result;
}

static void exec_by_call(void)
{
	static char *const arguments[] = { "/true", NULL }, *const environment[] = { NULL };

	CALL(SYS_execve, "/true", arguments, environment);
	_exit(1);
}

static void exit_by_call(void)
{
	CALL(SYS_exit_group, 5);
}

static void check_entry(const char *const names[])
{
	static char bytes[32];
	struct timespec short_time = { 0, 20000000 };
	char byte = 0;
	int status = -1, file;
	long result;
	pid_t child;

	result = CALL(SYS_getpid, 0);
	CHECK(names[0], result == getpid(), result);
	result = CALL(999999, 0);
	CHECK(names[1], result == -ENOSYS, result);

	file = memfd_create("call", 0);
	if (write(file, "0123456789", 10) != 10)
		failed(names[2], "write", errno);
	result = CALL(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, file, 0);
	CHECK(names[2], result > 0 && memcmp((void *)result, "0123456789", 10) == 0, result);
	result = CALL(SYS_pread64, file, bytes, 5, 3);
	CHECK(names[3], result == 5 && memcmp(bytes, "34567", 5) == 0, result);
	result = CALL(SYS_pread64, file, 8, 5, 3);
	CHECK(names[4], result == -EFAULT, result);
	close(file);

	result = CALL(SYS_nanosleep, &short_time, 0);
	CHECK(names[5], result == 0, result);
	result = interrupted_read(SA_RESTART, 5, 1, &byte);
	CHECK(names[6], result == 1 && byte == 'x' && interrupted == 5, result);
	result = interrupted_read(0, 1, 0, &byte);
	CHECK(names[7], result == -EINTR && interrupted == 1, result);

	child = CALL(SYS_fork, 0);
	if (child == 0)
		CALL(SYS_exit_group, 3);
	result = CALL(SYS_wait4, child, &status, 0, 0);
	CHECK(names[8], result == child && WIFEXITED(status) && WEXITSTATUS(status) == 3, status);
	status = in_child(exec_by_call);
	CHECK(names[9], WIFEXITED(status) && WEXITSTATUS(status) == 0, status);
	status = in_child(exit_by_call);
	CHECK(names[10], WIFEXITED(status) && WEXITSTATUS(status) == 5, status);

	CHECK(names[11], sleep_with_nested_task_flag(), 0);
	result = read_without_interrupts();
	CHECK(names[12], result == 10, result);
}

void check_calls(void)
{
	static const char *const full[] = {
		"call: getpid", "call: no such system call", "call: six arguments", "call: four arguments",
		"call: a bad pointer", "call: sleep", "call: restarted", "call: interrupted", "call: fork",
		"call: execve", "call: exit", "call: NT set", "call: IF clear",
	}, *const lean[] = {
		"lean call: getpid", "lean call: no such system call", "lean call: six arguments",
		"lean call: four arguments", "lean call: a bad pointer", "lean call: sleep", "lean call: restarted",
		"lean call: interrupted", "lean call: fork", "lean call: execve", "lean call: exit",
		"lean call: NT set", "lean call: IF clear",
	};
	register long kept __asm__("rdi");
	long result = SYS_getpid;

	entry = getauxval(32);
	check_entry(full);
	__asm__ volatile("mov $77, %%edi; sub $128, %%rsp; call *%[entry]; add $128, %%rsp"
			 : "+a"(result), "=&r"(kept) : [entry] "r"(entry) : "rcx", "r11", "memory", "cc");
	CHECK("call: registers are preserved", kept == 77, kept);

	entry = getauxval(34);
	check_entry(lean);
}
