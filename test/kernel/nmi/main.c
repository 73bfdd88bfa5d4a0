// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a guest that is bombarded by non-maskable interrupts. */
#include <stdio.h>
#include <unistd.h>

#include "../programs/check.h"
#include "nmi.h"

/* The kernel knows no reason for these NMIs and would say so for each; a panic sets it back to all. */
static void silence_kernel(void)
{
	FILE *file = fopen("/proc/sys/kernel/printk", "w");

	if (file) {
		fputs("0", file);
		fclose(file);
	}
}

/* What the silence would hide: a warning leaves a mark. */
static long marks(void)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");
	long value = -1;

	if (!file || fscanf(file, "%ld", &value) != 1)
		value = -1;
	if (file)
		fclose(file);
	return value;
}

int main(void)
{
	/* musl counts those that the calling thread may run on. */
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);

	begin();
	silence_kernel();
	check_nmis_here();
	check_storms(cpus);
	CHECK("nmi: the kernel has nothing to complain of", marks() == 0, marks());
	end();
	return 1;
}
