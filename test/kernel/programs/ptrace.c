// SPDX-License-Identifier: Apache-2.0
/* What a debugger does with a program in ring 0. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* getppid by CALL, where the debugger steps along. */
static void call_kernel(void)
{
	long result = SYS_getppid;

	__asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp"
			 : "+a"(result) : "r"(getauxval(32)) : "rcx", "r11", "memory", "cc");
	__asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp"
			 : "=a"(result) : "r"(getauxval(34)), "0"(SYS_getppid)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	if (result != getppid())
		_exit(1);
}

static pid_t start_traced(void (*body)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		body();
		_exit(11);
	}
	waitpid(child, &status, 0);
	return child;
}

static void make_system_call(void)
{
	syscall(SYS_getppid);
}

/* Steps through `body`; counts steps, those with sane registers, and those in the kernel's entry. */
static int step_through(void (*body)(void), long *steps, long *sane, long *inside)
{
	struct user_regs_struct registers;
	pid_t child = start_traced(body);
	int status = -1;

	*steps = *sane = *inside = 0;
	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) != 0 || waitpid(child, &status, 0) != child)
			break;
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			break;
		++*steps;
		ptrace(PTRACE_GETREGS, child, 0, &registers);
		*sane += registers.cs == 0x33 && registers.ss == 0x2b && registers.rsp < 1UL << 47;
		*inside += (long)registers.rip < 0;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

static void check_steps(void)
{
	long steps, sane, inside;
	int status;

	status = step_through(make_system_call, &steps, &sane, &inside);
	CHECK("single steps", steps > 10 && sane == steps && inside == 0, steps);
	CHECK("a stepped program goes its way", status == 11, status);

	status = step_through(call_kernel, &steps, &sane, &inside);
	CHECK("single steps into the kernel's entries", steps > 20 && sane == steps && inside > 2, inside);
	CHECK("a program that is stepped through a call goes its way", status == 11, status);
}

static void check_system_calls(void)
{
	struct user_regs_struct registers;
	int status, stops = 0, seen = 0;
	pid_t child = start_traced(make_system_call);

	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, child, 0, 0) != 0 || waitpid(child, &status, 0) != child)
			break;
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
			break;
		ptrace(PTRACE_GETREGS, child, 0, &registers);
		if (registers.orig_rax == SYS_getppid) {
			stops++;
			seen += stops == 2 && (pid_t)registers.rax == getpid();
		}
	}
	CHECK("stops at system calls", stops == 2 && seen == 1, stops);
	CHECK("a watched program goes its way", WIFEXITED(status) && WEXITSTATUS(status) == 11, status);
}

static void check_registers(void)
{
	struct user_regs_struct registers;
	pid_t child = start_traced(make_system_call);
	int status;

	errno = 0;
	ptrace(PTRACE_POKEUSER, child, offsetof(struct user_regs_struct, rsp), 0xffffffff81000000);
	CHECK("a debugger's stack in the kernel is refused", errno == EIO, errno);
	ptrace(PTRACE_GETREGS, child, 0, &registers);
	CHECK("all registers can be written back", ptrace(PTRACE_SETREGS, child, 0, &registers) == 0, errno);
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	CHECK("a released program goes its way", WIFEXITED(status) && WEXITSTATUS(status) == 11, status);
}

/* What RBX is after fork() by CALL */
static void fork_by_call(void)
{
	unsigned long kept = 1;
	long result = SYS_fork;

	__asm__ volatile("sub $128, %%rsp; call *%2; add $128, %%rsp"
			 : "+a"(result), "+b"(kept) : "r"(getauxval(32)) : "rcx", "r11", "memory", "cc");
	_exit(result == 0 ? 0 : (int)kept);
}

static void check_writes_in_fork(void)
{
	pid_t child = start_traced(fork_by_call);
	unsigned long other = 0;
	int status;

	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEFORK);
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	ptrace(PTRACE_GETEVENTMSG, child, 0, &other);
	ptrace(PTRACE_POKEUSER, child, offsetof(struct user_regs_struct, rbx), 42);
	waitpid((pid_t)other, NULL, __WALL);
	ptrace(PTRACE_DETACH, (pid_t)other, 0, 0);
	ptrace(PTRACE_DETACH, child, 0, 0);
	waitpid(child, &status, 0);
	CHECK("what a debugger writes during fork() by CALL", WIFEXITED(status) && WEXITSTATUS(status) == 42, status);
}

static int ends[2];

static void read_by_call(void)
{
	long result = SYS_read;
	char byte = 0;

	__asm__ volatile("sub $128, %%rsp; call *%[entry]; add $128, %%rsp"
			 : "+a"(result)
			 : "D"((long)ends[0]), "S"(&byte), "d"(1L), [entry] "r"(getauxval(32))
			 : "rcx", "r11", "memory", "cc");
	_exit(result == 1 && byte == 'x' ? 31 : 1);
}

static void function_of_program(void)
{
	__asm__ volatile("int3");
}

/* As gdb's `call`: the program runs something else in the midst of a system call, and then goes on with it. */
static void check_call_by_debugger(void)
{
	struct user_regs_struct saved, registers;
	int status, trapped;
	pid_t child;

	if (pipe(ends) != 0)
		failed("a debugger's call in a system call by CALL", "pipe", errno);
	child = start_traced(read_by_call);
	ptrace(PTRACE_CONT, child, 0, 0);
	wait_in_read(child);
	kill(child, SIGSTOP);
	waitpid(child, &status, 0);
	ptrace(PTRACE_GETREGS, child, 0, &saved);
	registers = saved;
	registers.rip = (unsigned long)function_of_program;
	registers.rsp = ((saved.rsp - 512) & ~15UL) - 8;
	registers.orig_rax = -1UL;
	ptrace(PTRACE_SETREGS, child, 0, &registers);
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	trapped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
	ptrace(PTRACE_SETREGS, child, 0, &saved);
	ptrace(PTRACE_CONT, child, 0, 0);
	if (write(ends[1], "x", 1) != 1)
		trapped = 0;
	waitpid(child, &status, 0);
	CHECK("a debugger's call in a system call by CALL",
	      trapped && WIFEXITED(status) && WEXITSTATUS(status) == 31, status);
	close(ends[0]);
	close(ends[1]);
}

void check_ptrace(void)
{
	check_steps();
	check_system_calls();
	check_registers();
	check_writes_in_fork();
	check_call_by_debugger();
}
