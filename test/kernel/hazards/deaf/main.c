// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a guest: does what no kernel can answer to by a signal, as its argument names it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "../../programs/check.h"

/* Comes only if the timer's interrupts do. */
static void end_by_alarm(int number)
{
	(void)number;
	end();
}

/* As if the kernel hung: RSP is in its half, too, and there is nothing but a jump to itself (eb fe) in its text. */
static void hang_in_kernel(void)
{
	const unsigned char *at = (const unsigned char *)getauxval(32);

	while (at[0] != 0xeb || at[1] != 0xfe)
		at--;
	__asm__ volatile("cli; mov %0, %%rsp; jmp *%0" : : "r"(at));
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";

	begin();
	printf("deaf\n");
	fflush(stdout);
	fsync(1);
	if (strcmp(what, "cli") == 0) {
		signal(SIGALRM, end_by_alarm);
		alarm(1);
		__asm__ volatile("cli; 1: jmp 1b");
	}
	if (strcmp(what, "kernel") == 0)
		hang_in_kernel();
	if (strcmp(what, "gs") == 0)
		__asm__ volatile("mov %0, %%gs; 1: jmp 1b" : : "r"(0));
	printf("FAIL nothing happened\n");
	end();
	return 1;
}
