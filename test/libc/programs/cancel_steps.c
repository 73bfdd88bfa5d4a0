// SPDX-License-Identifier: Apache-2.0
/*
 * Cancellation at each single instruction of a system call, those of the kernel's entry included. A tracer stops the
 * thread there, has another thread cancel it and lets it go. As long as the byte has not been read the thread must end
 * without it, and after that it must have it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { SIGCANCEL = 33, MOST = 2000 };

struct shared {
	volatile int returned, cancelled;
};

static struct shared *shared;
static int data[2], go[2], done[2];
static pthread_t victim;

static void note(void *argument)
{
	(void)argument;
	shared->cancelled = 1;
	/* In a child of fork(), musl 1.2.3 deadlocks where the first thread ends before others do. */
	_exit(0);
}

static void *canceller(void *argument)
{
	char byte;

	(void)argument;
	if (read(go[0], &byte, 1) == 1) {
		pthread_cancel(victim);
		if (write(done[1], "x", 1) != 1)
			_exit(2);
	}
	return NULL;
}

static void traced(int state)
{
	pthread_t other;
	long result;
	char byte;

	victim = pthread_self();
	pthread_create(&other, NULL, canceller, NULL);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	pthread_setcancelstate(state, NULL);
	pthread_cleanup_push(note, NULL);
	/* Stops here for the tracer. */
	__asm__ volatile("int3");
	result = read(data[0], &byte, 1);
	/* Masked, the request is an error of the system call. */
	if (result == -1 && errno == ECANCELED && state == PTHREAD_CANCEL_MASKED)
		note(NULL);
	shared->returned = result;
	pthread_cleanup_pop(0);
	_exit(0);
}

static void step(pid_t child)
{
	int status;

	ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
	waitpid(child, &status, 0);
}

struct outcome {
	/* When the thread was stopped: it had not returned, it was in the kernel's entry, the byte was there to read. */
	int inside, in_entry, untouched;
	/* In the end: bytes that are left. */
	int left;
};

/* Cancels `steps` instructions after the start. */
static struct outcome try_at(int state, int steps)
{
	struct outcome outcome = { 0 };
	struct user_regs_struct regs = { 0 };
	int status;
	char byte;
	pid_t child;

	*shared = (struct shared){ 0 };
	if (write(data[1], "x", 1) != 1)
		return outcome;
	child = fork();
	if (child == 0)
		traced(state);
	waitpid(child, &status, 0);
	for (int i = 0; i < steps && !shared->returned; i++)
		step(child);
	ptrace(PTRACE_GETREGS, child, NULL, &regs);
	outcome.inside = !shared->returned;
	outcome.in_entry = (long)regs.rip < 0;
	ioctl(data[0], FIONREAD, &outcome.untouched);
	if (write(go[1], "x", 1) != 1 || read(done[0], &byte, 1) != 1)
		return outcome;
	ptrace(PTRACE_CONT, child, NULL, NULL);
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, child, NULL, WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
	ioctl(data[0], FIONREAD, &outcome.left);
	if (outcome.left > 0 && read(data[0], &byte, 1) != 1)
		outcome.left = -1;
	return outcome;
}

static void check_state(int state, const char *const names[])
{
	int cancelled = 0, returned = 0, wrong = 0, in_entry = 0;

	for (int steps = 0; steps < MOST; steps++) {
		struct outcome outcome = try_at(state, steps);

		if (shared->cancelled && shared->returned <= 0 && outcome.untouched && outcome.left == 1)
			cancelled++;
		else if (!shared->cancelled && shared->returned == 1 && !outcome.untouched && outcome.left == 0)
			returned++;
		else
			wrong++;
		in_entry += outcome.in_entry;
		if (!outcome.inside)
			break;
	}
	CHECK(names[0], wrong == 0, wrong);
	CHECK(names[1], cancelled > 10 && returned > 1, cancelled);
	CHECK(names[2], kernel_entry() == 0 ? in_entry == 0 : in_entry >= 3, in_entry);
}

void check_cancel_steps(void)
{
	static const char *const enabled[] = {
		"cancel at each instruction: in time, and no result lost",
		"cancel at each instruction: before and after",
		"cancel at each instruction: those of the kernel's entry",
	}, *const masked[] = {
		"cancel as an error at each instruction: in time, and no result lost",
		"cancel as an error at each instruction: before and after",
		"cancel as an error at each instruction: those of the kernel's entry",
	};
	cpu_set_t first;

	/* Tracer and traced take turns: nothing is gained by a second processor. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof first, &first);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe(data) != 0 || pipe(go) != 0 || pipe(done) != 0) {
		failed("cancel at each instruction", "it can be set up", 0);
		return;
	}
	check_state(PTHREAD_CANCEL_ENABLE, enabled);
	check_state(PTHREAD_CANCEL_MASKED, masked);
}
