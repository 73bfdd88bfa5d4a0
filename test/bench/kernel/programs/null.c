// SPDX-License-Identifier: Apache-2.0
/*
 * The cost of getppid by each way into the kernel that there is: ticks of the time stamp counter, which are instructions
 * under -icount shift=0. Of many short loops the shortest counts: most have no timer tick in them. What an empty loop
 * takes is subtracted; what a call site needs stays (two instructions for SYSCALL, four for a call).
 */
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS 2000
#define LOOPS 200

#define ENTRY_ALL_KEPT 32
#define ENTRY_LEAN 34

static unsigned long ticks(void)
{
	unsigned int low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (unsigned long)high << 32 | low;
}

static unsigned long empty(unsigned long entry)
{
	unsigned long begin = ticks();

	(void)entry;
	for (long i = CALLS; i > 0; i--)
		__asm__ volatile("" : : : "memory");
	return ticks() - begin;
}

static unsigned long by_syscall(unsigned long entry)
{
	unsigned long begin = ticks();

	(void)entry;
	for (long i = CALLS; i > 0; i--)
		__asm__ volatile("mov %0, %%eax; syscall" : : "i"(SYS_getppid) : "rax", "rcx", "r11", "memory");
	return ticks() - begin;
}

static unsigned long by_call(unsigned long entry)
{
	unsigned long begin = ticks();

	for (long i = CALLS; i > 0; i--)
		__asm__ volatile("mov %0, %%eax; sub $128, %%rsp; call *%1; add $128, %%rsp"
				 :
				 : "i"(SYS_getppid), "b"(entry)
				 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
	return ticks() - begin;
}

static double shortest(unsigned long (*loop)(unsigned long), unsigned long entry)
{
	unsigned long best = loop(entry);

	for (int i = 1; i < LOOPS; i++) {
		unsigned long now = loop(entry);

		if (now < best)
			best = now;
	}
	return (double)best / CALLS;
}

int main(void)
{
	static const struct { const char *name; unsigned long type; } entries[] = {
		{ "call", ENTRY_ALL_KEPT }, { "lean", ENTRY_LEAN },
	};
	double nothing = shortest(empty, 0);

	printf("null: syscall %.3f\n", shortest(by_syscall, 0) - nothing);
	for (int i = 0; i < 2; i++) {
		unsigned long entry = getauxval(entries[i].type);

		if (entry != 0)
			printf("null: %s %.3f\n", entries[i].name, shortest(by_call, entry) - nothing);
	}
	fflush(stdout);
	reboot(RB_AUTOBOOT);
	return 1;
}
