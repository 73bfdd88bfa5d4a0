// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a guest: what changes GS's base, which is the kernel's, is an undefined instruction. */
#include <sys/wait.h>
#include <signal.h>

#include "../../programs/check.h"

static void read_gs(void)
{
	unsigned long base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
}

static void write_gs(void)
{
	__asm__ volatile("wrgsbase %0" : : "r"(0x1000UL));
}

static void write_gs_low(void)
{
	__asm__ volatile("wrgsbase %0" : : "r"(0x1000));
}

static void expect_illegal(const char *name, void (*body)(void))
{
	int status = in_child(body);

	CHECK(name, WIFSIGNALED(status) && WTERMSIG(status) == SIGILL, status);
}

int main(void)
{
	begin();
	expect_illegal("rdgsbase is an undefined instruction", read_gs);
	expect_illegal("wrgsbase is an undefined instruction", write_gs);
	expect_illegal("wrgsbase of 32 bits is an undefined instruction", write_gs_low);
	end();
	return 1;
}
