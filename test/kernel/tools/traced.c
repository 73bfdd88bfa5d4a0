// SPDX-License-Identifier: Apache-2.0
/* What strace and gdb watch in a guest: system calls in all three ways, a signal, a child. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long call4(unsigned long entry, long nr, long a, const void *b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("sub $128, %%rsp; call *%[entry]; add $128, %%rsp"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
			 : "0"(nr), [entry] "b"(entry)
			 : "rcx", "r8", "r9", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			   "xmm6", "xmm7");
	return result;
}

static void handle(int signal)
{
	(void)signal;
}

__attribute__((noinline)) int watched(int number)
{
	return number + 1;
}

int main(void)
{
	char bytes[8] = "";
	int file = memfd_create("traced", 0), status;
	pid_t child;

	if (write(file, "0123456789", 10) != 10)
		return 1;
	call4(getauxval(32), SYS_pread64, file, bytes, 5, 3);
	call4(getauxval(34), SYS_openat, AT_FDCWD, "/nowhere", O_RDONLY, 0);
	signal(SIGUSR1, handle);
	raise(SIGUSR1);
	child = fork();
	if (child == 0)
		call4(getauxval(34), SYS_exit_group, 5, NULL, 0, 0);
	waitpid(child, &status, 0);
	return watched(WEXITSTATUS(status) + 1);
}
