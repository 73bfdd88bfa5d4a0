// SPDX-License-Identifier: Apache-2.0
/* Every fault is its signal, with the code and the address that Linux gives. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf back;
static volatile int caught, code;
static void *volatile address;
static volatile long selectors, direction;

static void handler(int signal, siginfo_t *info, void *context)
{
	long flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	caught = signal;
	code = info->si_code;
	address = info->si_addr;
	selectors = ((ucontext_t *)context)->uc_mcontext.gregs[REG_CSGSFS];
	direction = flags & 0x400;
	siglongjmp(back, 1);
}

static void try(const char *name, void (*body)(void), int signal, int want_code, void *want_address)
{
	caught = 0;
	if (!sigsetjmp(back, 1))
		body();
	if (caught != signal)
		failed(name, "another signal", caught);
	else if (want_code && code != want_code)
		failed(name, "another code", code);
	else if (want_address && address != want_address)
		failed(name, "another address", (long)address);
	else
		passed(name);
}

static char *page;

static char *volatile null;

static void read_null(void) { *(volatile char *)(null + 8); }
static void write_read_only(void) { *(volatile char *)page = 1; }
static void run_data(void) { ((void (*)(void))(page + 4096))(); }
static void jump_nowhere(void) { ((void (*)(void))0x7fff00000000)(); }
static void jump_null(void) { ((void (*)(void))0)(); }
static void jump_non_canonical(void) { __asm__ volatile("jmp *%0" : : "r"(0x0123456789abcdefUL)); }
static void read_non_canonical(void) { *(volatile char *)0x0123456789abcdefUL; }
static void divide(void)
{
	volatile int zero = 0, result = 1;

	result /= zero;
}
static void undefined(void) { __asm__ volatile("ud2"); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void single_step(void)
{
	__asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop; nop" : : : "memory");
}
static void with_direction(void) { __asm__ volatile("std; ud2"); }
/* In x87, as the emulator raises no exceptions of SSE. */
static void divide_floats(void)
{
	unsigned short control = 0x037f & ~0x4;

	__asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(control));
}

/* On the stack that it has lost nothing can be pushed: neither half may bring the machine down. */
static void lose_stack(unsigned long sp)
{
	__asm__ volatile("mov %0, %%rsp; push %%rax; ud2" : : "r"(sp));
	__builtin_unreachable();
}
static void lose_stack_low(void) { lose_stack(16); }
static void lose_stack_nowhere(void) { lose_stack(1UL << 62); }
static void lose_stack_high(void) { lose_stack(0xffffffffff000010); }
static void lose_stack_and_trap(void)
{
	__asm__ volatile("mov %0, %%rsp; ud2" : : "r"(0xffffffffff000010));
}

static void forge(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal;
	(void)info;
	registers[REG_RIP] = registers[REG_RSP] = 0xffffffff81000000;
}
static void return_to_kernel(void)
{
	struct sigaction action = { .sa_sigaction = forge, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

/* Leaves a handler as runtimes do that build the frame of an IRET themselves, from what they were given. */
static void leave_by_iret(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned long cs = registers[REG_CSGSFS] & 0xffff, ss = (unsigned long)registers[REG_CSGSFS] >> 48;

	(void)signal;
	(void)info;
	__asm__ volatile("pushq %0; pushq %1; pushq %2; pushq %3; pushq %4; iretq"
			 : : "r"(ss), "r"(registers[REG_RSP]), "r"(registers[REG_EFL]), "r"(cs),
			     "r"(registers[REG_RIP] + 2));
	__builtin_unreachable();
}
static void be_left_by_iret(void)
{
	struct sigaction action = { .sa_sigaction = leave_by_iret, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaction(SIGILL, &action, NULL);
	__asm__ volatile("ud2" : : : "memory");
	_exit(21);
}

/* The selectors that Linux gives a program elsewhere are still good for an IRET: to ring 3. */
static void go_to_ring3(void)
{
	unsigned short cs;
	char *fresh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	__asm__ volatile("mov %%rsp, %%rax; pushq $0x2b; pushq %%rax; pushfq; pushq $0x33; lea 1f(%%rip), %%rax; pushq %%rax;"
			 "iretq; 1: movb $1, (%1); mov %%cs, %0"
			 : "=r"(cs) : "r"(fresh) : "rax", "memory", "cc");
	_exit(cs == 0x33 ? 22 : 1);
}

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

static void dies(const char *name, void (*body)(void), int signal)
{
	int status = in_child(body);

	CHECK(name, WIFSIGNALED(status) && WTERMSIG(status) == signal, status);
}

static void exits(const char *name, void (*body)(void), int code)
{
	int status = in_child(body);

	CHECK(name, WIFEXITED(status) && WEXITSTATUS(status) == code, status);
}

void check_faults(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static char alternate[65536];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	long cs;

	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(page, 0xc3, 8192);
	mprotect(page, 4096, PROT_READ);

	sigaltstack(&stack, NULL);
	for (unsigned int i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);

	try("a read through NULL", read_null, SIGSEGV, SEGV_MAPERR, (void *)8);
	__asm__ volatile("mov %%cs, %0" : "=r"(cs));
	CHECK("a handler sees the CS that the program has", (selectors & 0xffff) == cs, selectors);
	try("a write to a read-only page", write_read_only, SIGSEGV, SEGV_ACCERR, page);
	try("a jump into data", run_data, SIGSEGV, SEGV_ACCERR, page + 4096);
	try("a jump to nowhere", jump_nowhere, SIGSEGV, SEGV_MAPERR, (void *)0x7fff00000000);
	try("a jump through NULL", jump_null, SIGSEGV, SEGV_MAPERR, NULL);
	try("a jump to no address", jump_non_canonical, SIGSEGV, 0, NULL);
	try("a read of no address", read_non_canonical, SIGSEGV, 0, NULL);
	try("a division by zero", divide, SIGFPE, FPE_INTDIV, NULL);
	try("a floating-point division by zero", divide_floats, SIGFPE, FPE_FLTDIV, NULL);
	try("an undefined instruction", undefined, SIGILL, ILL_ILLOPN, NULL);
	try("a breakpoint", breakpoint, SIGTRAP, SI_KERNEL, NULL);
	try("a single step", single_step, SIGTRAP, TRAP_TRACE, NULL);
	try("a fault with the direction flag set", with_direction, SIGILL, ILL_ILLOPN, NULL);
	CHECK("a handler finds the direction flag clear", direction == 0, direction);
	__asm__ volatile("cld");
	try("a push to the bottom, on another stack", lose_stack_low, SIGSEGV, 0, NULL);
	try("a push to nowhere, on another stack", lose_stack_high, SIGSEGV, 0, NULL);

	for (unsigned int i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_DFL);
	dies("a push to the bottom of memory", lose_stack_low, SIGSEGV);
	dies("a push to no address", lose_stack_nowhere, SIGSEGV);
	dies("a push to the top of memory", lose_stack_high, SIGSEGV);
	dies("a trap with the stack at the top of memory", lose_stack_and_trap, SIGILL);
	dies("a return from a signal into the kernel", return_to_kernel, SIGSEGV);
	exits("a return from a signal by IRET", be_left_by_iret, 21);
	exits("a program that goes to ring 3", go_to_ring3, 22);
}
