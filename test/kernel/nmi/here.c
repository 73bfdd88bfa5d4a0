// SPDX-License-Identifier: Apache-2.0
/* NMIs that a program sends itself where it hurts: the stack lost, interrupts off, in single steps. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>

#include "../programs/check.h"
#include "nmi.h"

/*
 * To processor 0, where this runs; the kernel uses the register, too, in interrupts. The emulator delivers between blocks
 * of instructions: behind one of the jumps, if not at once.
 */
#define TO_SELF "cli; movl $0, 0x10(%%rax); movl $0x4400, (%%rax)\n"
#define DELIVERED "jmp 1f; 1: nop; jmp 2f; 2: nop\n"
#define SEND TO_SELF "sti\n" DELIVERED

/*
 * Fills the registers, sends the NMI, and stores all of them. RDI: the command register, which RAX has then; RSI: where
 * they go, from R15 to RAX as PUSH has them.
 */
void registers_around_nmi(volatile uint32_t *command, unsigned long registers[15]);
__asm__(".text\n"
	"registers_around_nmi:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rsi\n"
	"	mov %rdi, %rax\n"
	"	mov $0x0101010101010101, %rbx\n"
	"	lea (%rbx,%rbx), %rcx; lea (%rcx,%rbx), %rdx; lea (%rdx,%rbx), %rsi; lea (%rsi,%rbx), %rdi\n"
	"	lea (%rdi,%rbx), %rbp; lea (%rbp,%rbx), %r8; lea (%r8,%rbx), %r9; lea (%r9,%rbx), %r10\n"
	"	lea (%r10,%rbx), %r11; lea (%r11,%rbx), %r12; lea (%r12,%rbx), %r13; lea (%r13,%rbx), %r14\n"
	"	lea (%r14,%rbx), %r15\n"
	"	cli; movl $0, 0x10(%rax); movl $0x4400, (%rax); sti; jmp 1f\n1: nop; jmp 2f\n2: nop\n"
	"	push %rax; push %rbx; push %rcx; push %rdx; push %rsi; push %rdi; push %rbp; push %r8; push %r9\n"
	"	push %r10; push %r11; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, %rsi; mov 120(%rsp), %rdi; mov $15, %ecx; rep movsq\n"
	"	add $128, %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

static void check_registers(void)
{
	volatile uint32_t *command = command_register();
	unsigned long found[15];
	long wrong = 0;

	for (int round = 0; round < 100; round++) {
		memset(found, 0, sizeof(found));
		registers_around_nmi(command, found);
		for (unsigned long i = 0; i < 14; i++)
			wrong += found[i] != (14 - i) * 0x0101010101010101;
		wrong += found[14] != (unsigned long)command;
	}
	CHECK("nmi: registers are preserved", wrong == 0, wrong);
}

static void check_red_zone(void)
{
	volatile uint32_t *command = command_register();
	long low = 0, high = 0;

	__asm__ volatile("movq $77, -128(%%rsp); movq $78, -8(%%rsp)\n" SEND
			 "mov -128(%%rsp), %0; mov -8(%%rsp), %1"
			 : "=&r"(low), "=&r"(high) : "a"(command) : "memory");
	CHECK("nmi: the red zone is preserved", low == 77 && high == 78, low);
}

static void check_lost_stack(const char *name, unsigned long sp)
{
	volatile uint32_t *command = command_register();
	unsigned long found;

	__asm__ volatile("mov %%rsp, %%rbx; mov %[sp], %%rsp\n" SEND "mov %%rsp, %[found]; mov %%rbx, %%rsp"
			 : [found] "=&r"(found) : [sp] "r"(sp), "a"(command) : "rbx", "memory");
	CHECK(name, found == sp, found);
}

static void check_flags(void)
{
	volatile uint32_t *command = command_register();
	unsigned long flags;

	__asm__ volatile("std; stc\n" TO_SELF DELIVERED "pushf; pop %0; cld; sti" : "=r"(flags) : "a"(command) : "memory", "cc");
	CHECK("nmi: flags are preserved, but interrupts are on again", (flags & 0x601) == 0x601, flags);
}

static volatile sig_atomic_t steps;

static void step(int signal)
{
	(void)signal;
	steps++;
}

static void check_single_steps(void)
{
	volatile uint32_t *command = command_register();
	struct sigaction action = { .sa_handler = step };

	sigaction(SIGTRAP, &action, NULL);
	steps = 0;
	__asm__ volatile("sub $128, %%rsp; pushf; orl $0x100, (%%rsp); popf\n" SEND
			 "pushf; andl $~0x100, (%%rsp); popf; add $128, %%rsp" : : "a"(command) : "memory", "cc");
	/* CLI, two stores, STI (with the jump in its shadow or not), two jumps, two NOPs, PUSHF, AND and POPF. */
	CHECK("nmi: single steps go on", steps == 10 || steps == 11, steps);
}

static void check_vectors(void)
{
	volatile uint32_t *command = command_register();
	unsigned long low, high;

	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm15, %%xmm15\n" SEND
			 "movq %%xmm0, %0; movq %%xmm15, %1"
			 : "=r"(low), "=r"(high) : "a"(command) : "xmm0", "xmm15", "memory");
	CHECK("nmi: SSE's registers are preserved", low == -1UL && high == -1UL, low);
}

void check_nmis_here(void)
{
	long before = nmis(0);

	run_on(0);
	check_registers();
	check_red_zone();
	check_lost_stack("nmi: the stack at the bottom of memory", 16);
	check_lost_stack("nmi: the stack at no address", 1UL << 62);
	check_lost_stack("nmi: the stack at the top of memory", 0xffffffffff000010);
	check_flags();
	check_vectors();
	check_single_steps();
	CHECK("nmi: each has come", nmis(0) - before == 107, nmis(0) - before);
}
