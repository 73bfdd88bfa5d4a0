// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nmi.h"

#define APIC_PHYSICAL 0xfee00000UL
#define ICR_LOW (0x300 / 4)

#define PRESENT 1UL
#define LEAF (1UL << 7)
#define ADDRESS 0x000ffffffffff000UL
/* Where the kernel maps all memory (its page tables among it), as no randomness is configured. */
#define DIRECT_MAP 0xffff888000000000UL
#define TOP_GIGABYTE 0xffffffffc0000000UL

static const uint64_t *table(uint64_t entry)
{
	return (const uint64_t *)(DIRECT_MAP + (entry & ADDRESS));
}

/* The kernel's own mapping of the APIC is in the last gigabyte; the page tables say where. */
static volatile uint32_t *find_apic(void)
{
	const uint64_t *middle, *last;
	uint64_t root;

	__asm__ volatile("mov %%cr3, %0" : "=r"(root));
	middle = table(table(table(root)[511])[511]);
	for (unsigned long i = 0; i < 512; i++) {
		if (!(middle[i] & PRESENT) || (middle[i] & LEAF))
			continue;
		last = table(middle[i]);
		for (unsigned long j = 0; j < 512; j++) {
			if ((last[j] & PRESENT) && (last[j] & ADDRESS) == APIC_PHYSICAL)
				return (volatile uint32_t *)(TOP_GIGABYTE + (i << 21) + (j << 12));
		}
	}
	printf("FAIL the local APIC is not mapped\n");
	exit(1);
}

static volatile uint32_t *apic(void)
{
	static volatile uint32_t *found;

	if (!found)
		found = find_apic();
	return found;
}

volatile uint32_t *command_register(void)
{
	return apic() + ICR_LOW;
}

/*
 * The kernel uses the register, too, in interrupts: these are off until both halves are written. Nothing else is touched
 * meanwhile, for a page fault would turn them on, and after a fork in another thread any write is one.
 */
void send_nmi(unsigned int cpu)
{
	volatile uint32_t *registers = apic();

	__asm__ volatile("cli; movl %[cpu], 0x310(%[apic]); movl %[nmi], 0x300(%[apic]); sti"
			 : : [cpu] "r"(cpu << 24), [apic] "r"(registers), [nmi] "r"(ICR_NMI) : "memory");
}

long nmis(unsigned int cpu)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char line[512], *field;
	long count = -1;

	while (file && fgets(line, sizeof(line), file)) {
		field = strstr(line, "NMI:");
		if (!field)
			continue;
		field += strlen("NMI:");
		for (unsigned int i = 0; i <= cpu; i++)
			count = strtol(field, &field, 10);
	}
	if (file)
		fclose(file);
	return count;
}

void run_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		printf("FAIL no processor %u\n", cpu);
}
