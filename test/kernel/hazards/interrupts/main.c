// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a guest: a program that has turned interrupts off gets them back where it meets the kernel. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../programs/check.h"

#define IF 0x200

static unsigned long flags_now(void)
{
	unsigned long flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags) : : "memory");
	return flags;
}

static volatile unsigned long inside;

static void skip(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	inside = flags_now();
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

/* Turns them on in any case before it prints. */
#define EXPECT_ON(name) do { \
	unsigned long flags = flags_now(); \
	__asm__ volatile("sti"); \
	CHECK(name, flags & IF, flags); \
} while (0)

static void by_system_calls(void)
{
	long result;

	__asm__ volatile("cli; syscall" : "=a"(result) : "0"(SYS_getppid) : "rcx", "r11", "memory");
	EXPECT_ON("cli, then a system call by SYSCALL");
	__asm__ volatile("cli; call *%1" : "=a"(result) : "b"(getauxval(32)), "0"(SYS_getppid)
			 : "rcx", "r11", "memory", "cc");
	EXPECT_ON("cli, then a system call by CALL");
	__asm__ volatile("cli; call *%1" : "=a"(result) : "b"(getauxval(34)), "0"(SYS_getppid)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	EXPECT_ON("cli, then a lean system call");
}

static void by_faults(void)
{
	struct sigaction action = { .sa_sigaction = skip, .sa_flags = SA_SIGINFO };
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	sigaction(SIGILL, &action, NULL);
	inside = 0;
	__asm__ volatile("cli; ud2" : : : "memory");
	EXPECT_ON("cli, then an undefined instruction");
	CHECK("its handler runs with interrupts on", inside & IF, inside);
	__asm__ volatile("cli; movb $1, (%0)" : : "r"(page) : "memory");
	EXPECT_ON("cli, then a page fault");
	munmap(page, 4096);
}

static void by_popf(void)
{
	long result;

	__asm__ volatile("pushf; andl $~0x200, (%%rsp); popf; syscall" : "=a"(result) : "0"(SYS_getppid)
			 : "rcx", "r11", "memory", "cc");
	EXPECT_ON("popf without IF, then a system call");
}

int main(void)
{
	begin();
	by_system_calls();
	by_faults();
	by_popf();
	end();
	return 1;
}
