// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a guest that a debugger stops: in `inner`, and in the system call that it makes. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../programs/check.h"

/* By the kernel's entry for calls, so that the debugger sees the kernel as one more function. */
__attribute__((noinline)) static long inner(long number)
{
	long result = number;

	__asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp"
			 : "+a"(result) : "b"(getauxval(32)) : "rcx", "r11", "memory", "cc");
	return result;
}

__attribute__((noinline)) static long outer(long number)
{
	return inner(number) + 1;
}

int main(void)
{
	begin();
	CHECK("a stopped program goes on", outer(SYS_getppid) == 1, 0);
	end();
	return 1;
}
