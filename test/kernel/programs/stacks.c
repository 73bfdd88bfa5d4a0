// SPDX-License-Identifier: Apache-2.0
/* Interrupts come at level 0, where the CPU switches no stack: what a program has on and below its stack stays. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t ticks;

static void tick(int signal)
{
	(void)signal;
	ticks++;
}

/* Writes below RSP, waits a while, reads it again. Returns how many of 16 words have changed. */
static long red_zone_damage(long rounds)
{
	long damage = 0;

	__asm__ volatile(
		"1:	mov %1, %%rax\n"
		"	mov %%rax, -8(%%rsp); mov %%rax, -64(%%rsp); mov %%rax, -128(%%rsp)\n"
		"	mov $400, %%ecx\n"
		"2:	dec %%ecx; jnz 2b\n"
		"	cmp %%rax, -8(%%rsp); je 3f; inc %0\n"
		"3:	cmp %%rax, -64(%%rsp); je 4f; inc %0\n"
		"4:	cmp %%rax, -128(%%rsp); je 5f; inc %0\n"
		"5:	dec %1; jnz 1b\n"
		: "+r"(damage), "+r"(rounds) : : "rax", "rcx", "memory", "cc");
	return damage;
}

static __attribute__((noinline)) long grow(int levels)
{
	volatile char here[65536];

	memset((char *)here, levels, sizeof(here));
	return levels == 0 ? 0 : grow(levels - 1) + (here[100] == (char)levels ? 0 : 1);
}

static void overflow(void)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_STACK, &limit);
	grow(1000);
}

static void overflow_seen(int signal)
{
	(void)signal;
	_exit(7);
}

static void overflow_to_handler(void)
{
	static char alternate[65536];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = { .sa_handler = overflow_seen, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	overflow();
}

void check_stacks(void)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
	struct timespec start, now;
	long damage = 0;
	int status;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		damage += red_zone_damage(1000);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec < 60 && ticks < 50);
	setitimer(ITIMER_REAL, &never, NULL);
	CHECK("timer interrupts came", ticks >= 50, ticks);
	CHECK("the red zone outlives interrupts and signals", damage == 0, damage);

	CHECK("the stack grows", grow(90) == 0, 0);
	status = in_child(overflow);
	CHECK("the stack ends", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, status);
	status = in_child(overflow_to_handler);
	CHECK("its end can be handled on another one", WIFEXITED(status) && WEXITSTATUS(status) == 7, status);
}
