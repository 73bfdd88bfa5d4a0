// SPDX-License-Identifier: Apache-2.0
/* How system calls are made: by CALL where there is an entry, by SYSCALL elsewhere, and with the right results. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { SYSCALL_INSTRUCTION = 0x050f };

/*
 * Follows a program from its first instruction to its last. Counts its system calls, and those that were made by
 * SYSCALL, which is what stands before the address that such a one returns to.
 */
static int follow(long *calls, long *by_instruction)
{
	int status = -1, entering = 1;
	pid_t child = fork();

	*calls = *by_instruction = 0;
	if (child == 0) {
		int nothing = open("/dev/null", O_RDWR);

		dup2(nothing, 1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(self, self, "hello", NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		struct user_regs_struct regs;

		if (WSTOPSIG(status) == SIGTRAP && *calls == 0 && entering == 1)
			ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD);
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (entering) {
				ptrace(PTRACE_GETREGS, child, NULL, &regs);
				long word = ptrace(PTRACE_PEEKTEXT, child, regs.rip - 2, NULL);

				(*calls)++;
				*by_instruction += (word & 0xffff) == SYSCALL_INSTRUCTION;
			}
			entering = !entering;
		}
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	}
	return status;
}

/* Code between two system calls of the libc may have anything in them. */
static long kept_vectors(unsigned long entry)
{
	unsigned char before[256], after[256];
	long result = SYS_getppid;

	for (unsigned i = 0; i < sizeof before; i++)
		before[i] = i * 7 + 1;
	/* No local of this function may be in a red zone that the call overwrites. */
	__asm__ volatile("sub $128, %%rsp\n"
			 ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movups 16*\\n(%[b]), %%xmm\\n\n.endr\n"
			 "call *%[entry]\n"
			 ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n movups %%xmm\\n, 16*\\n(%[a])\n.endr\n"
			 "add $128, %%rsp"
			 : "+a"(result)
			 : [entry] "r"(entry), [b] "r"(before), [a] "r"((unsigned char *)after)
			 : "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2",
			   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
			   "xmm14", "xmm15");
	return result >= 0 && memcmp(before, after, sizeof before) == 0;
}

void check_calls(void)
{
	unsigned long entry = kernel_entry();
	long calls, by_instruction, result;
	char bytes[8] = "";
	int file, status;
	void *page;

	status = follow(&calls, &by_instruction);
	CHECK("calls: a program that is followed ends well", WIFEXITED(status) && WEXITSTATUS(status) == 3, status);
	CHECK("calls: it makes some", calls > 3, calls);
	CHECK("calls: all by call, or none", by_instruction == (entry != 0 ? 0 : calls), by_instruction);

	result = syscall(999999);
	CHECK("calls: no such one", result == -1 && errno == ENOSYS, errno);
	file = memfd_create("call", 0);
	result = write(file, "0123456789", 10);
	CHECK("calls: three arguments", result == 10, result);
	result = pread(file, bytes, 5, 3);
	CHECK("calls: four arguments", result == 5 && memcmp(bytes, "34567", 5) == 0, result);
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	CHECK("calls: six arguments", page != MAP_FAILED && memcmp(page, "0123456789", 10) == 0, page);
	result = syscall(SYS_pread64, file, bytes, 5L, 4L, 0L, 0L);
	CHECK("calls: syscall()", result == 5 && memcmp(bytes, "45678", 5) == 0, result);
	result = pread(file, (void *)8, 5, 3);
	CHECK("calls: a bad pointer", result == -1 && errno == EFAULT, errno);
	munmap(page, 4096);
	close(file);
	if (entry != 0)
		CHECK("calls: vector registers stay", kept_vectors(entry), 0);
}
