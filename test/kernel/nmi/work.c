// SPDX-License-Identifier: Apache-2.0
/* What NMIs must not disturb, in all ways in and out of the kernel. Threads may run it at the same time. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "nmi.h"

#define PAGES 16
#define BYTES (PAGES * 4096UL)

static char *fresh(void)
{
	void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Page faults of the program. */
static long map_and_touch(void)
{
	char *memory = fresh();
	long wrong = 0;

	if (!memory)
		return 1;
	for (unsigned long i = 0; i < BYTES; i += 4096)
		memory[i] = (char)(i >> 12) + 1;
	mprotect(memory, BYTES, PROT_READ);
	for (unsigned long i = 0; i < BYTES; i += 4096)
		wrong += memory[i] != (char)(i >> 12) + 1;
	return wrong + (munmap(memory, BYTES) != 0);
}

/* Page faults of the kernel, in its copies from and to a program. */
static long copy_by_kernel(void)
{
	char *from = fresh(), *to = fresh();
	int file = memfd_create("work", 0);
	long wrong = !from || !to;

	if (!wrong) {
		memset(from, 5, BYTES / 2);
		wrong += write(file, from, BYTES) != BYTES;
		wrong += pread(file, to, BYTES, 0) != BYTES;
		wrong += memcmp(from, to, BYTES) != 0;
		wrong += pread(file, (void *)8, 16, 0) != -1;
	}
	close(file);
	munmap(from, BYTES);
	munmap(to, BYTES);
	return wrong;
}

/* The three ways to call the kernel, with registers that each must keep. */
static long call_kernel(void)
{
	unsigned long full = getauxval(32), lean = getauxval(34);
	long wrong = 0, result, kept, other;
	pid_t id = getpid();

	for (int i = 0; i < 50; i++) {
		wrong += syscall(SYS_getpid) != id;
		__asm__ volatile("mov $77, %%edi; mov $78, %%r12d; sub $128, %%rsp; call *%[entry]; add $128, %%rsp\n"
				 "mov %%rdi, %[kept]; mov %%r12, %[other]"
				 : "=&a"(result), [kept] "=&r"(kept), [other] "=&r"(other)
				 : "0"(SYS_getpid), [entry] "b"(full)
				 : "rcx", "r11", "rdi", "r12", "memory", "cc");
		wrong += result != id || kept != 77 || other != 78;
		__asm__ volatile("mov $79, %%r13d; mov $80, %%r14d; sub $128, %%rsp; call *%%rbx; add $128, %%rsp\n"
				 "mov %%r13, %[kept]; mov %%r14, %[other]"
				 : "=&a"(result), [kept] "=&r"(kept), [other] "=&r"(other)
				 : "0"(SYS_getpid), "b"(lean)
				 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r13", "r14", "memory", "cc",
				   "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
		wrong += result != id || kept != 79 || other != 80;
	}
	return wrong;
}

static __thread volatile int traps;
static __thread volatile unsigned long right_stack;

/* Whoever lost the stack gets it back. */
static void trapped(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	traps++;
	if (signal == SIGILL) {
		registers[REG_RSP] = (greg_t)right_stack;
		registers[REG_RIP] += 2;
	}
}

static long trap(void)
{
	traps = 0;
	for (int i = 0; i < 5; i++) {
		__asm__ volatile("int3" : : : "memory");
		__asm__ volatile("mov %%rsp, %0; mov %1, %%rsp; ud2" : "=m"(right_stack) : "r"(0xffffffffff000010) : "memory");
	}
	return traps != 10;
}

static long fork_and_wait(void)
{
	volatile int here = 1;
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		here = 2;
		_exit(here + 5);
	}
	return waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7 || here != 1;
}

/* Registers and red zone of a program that only computes. */
static long compute(void)
{
	unsigned long low, high, general, below;

	__asm__ volatile("movq %4, %%xmm7; movq %4, %%xmm15; mov %4, %%r15; mov %4, -128(%%rsp)\n"
			 "mov $20000, %%ecx\n1: dec %%ecx; jnz 1b\n"
			 "movq %%xmm7, %0; movq %%xmm15, %1; mov %%r15, %2; mov -128(%%rsp), %3\n"
			 : "=&r"(low), "=&r"(high), "=&r"(general), "=&r"(below) : "r"(0x123456789abcdef0)
			 : "xmm7", "xmm15", "r15", "rcx", "cc", "memory");
	return low != 0x123456789abcdef0 || high != low || general != low || below != low;
}

void prepare_work(void)
{
	static __thread char alternate[16384];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGTRAP, &action, NULL);
	sigaction(SIGILL, &action, NULL);
}

long work(void)
{
	return map_and_touch() + copy_by_kernel() + call_kernel() + trap() + fork_and_wait() + compute();
}
