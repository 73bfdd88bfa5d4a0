// SPDX-License-Identifier: Apache-2.0
/* What a debugger does with a program in ring 0. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static pid_t start_traced(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		syscall(SYS_getppid);
		_exit(11);
	}
	waitpid(child, &status, 0);
	return child;
}

static void check_steps(void)
{
	struct user_regs_struct registers;
	long steps = 0, sane = 0;
	pid_t child = start_traced();
	int status;

	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) != 0 || waitpid(child, &status, 0) != child)
			break;
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			break;
		steps++;
		ptrace(PTRACE_GETREGS, child, 0, &registers);
		sane += registers.cs == 0x33 && registers.ss == 0x2b && registers.rip < 1UL << 47;
	}
	CHECK("single steps", steps > 10 && sane == steps, steps);
	CHECK("a stepped program goes its way", WIFEXITED(status) && WEXITSTATUS(status) == 11, status);
}

static void check_system_calls(void)
{
	struct user_regs_struct registers;
	int status, stops = 0, seen = 0;
	pid_t child = start_traced();

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
	pid_t child = start_traced();
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

void check_ptrace(void)
{
	check_steps();
	check_system_calls();
	check_registers();
}
