// SPDX-License-Identifier: Apache-2.0
/* Says how its libc makes system calls: a child is followed through one. */
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSCALL_INSTRUCTION = 0x050f };

int main(void)
{
	struct user_regs_struct regs;
	pid_t child = fork();
	int status;
	long word;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		__asm__ volatile("int3");
		getppid();
		_exit(0);
	}
	/* From the trap to where the system call begins. */
	waitpid(child, &status, 0);
	ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	waitpid(child, &status, 0);
	ptrace(PTRACE_GETREGS, child, NULL, &regs);
	word = ptrace(PTRACE_PEEKTEXT, child, regs.rip - 2, NULL);
	puts((word & 0xffff) == SYSCALL_INSTRUCTION ? "by SYSCALL" : "by call");
	ptrace(PTRACE_KILL, child, NULL, NULL);
	waitpid(child, &status, 0);
	return 0;
}
