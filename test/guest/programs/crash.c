// SPDX-License-Identifier: Apache-2.0
/*
 * Ends the guest before its time, in the way that its argument names.
 * panic: overwrites process 1, whose death is the kernel's panic. triple: takes away the interrupt table, so that the
 * next fault resets the machine. gs: loads GS, which is the kernel's. reset: asks the kernel for a reset. hang: stops
 * the processor for good. spin: keeps it, with interrupts off. kernel: lets the kernel's system call entry spin.
 * It says "ready" and waits for SIGUSR1 first, so that what it said has reached the host by then; with a second
 * argument it does not wait.
 */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

static int overwrite_init(void)
{
	Elf64_Ehdr header;
	unsigned char garbage[65536];
	int program = open("/.uk/init", O_RDONLY);
	int memory = open("/proc/1/mem", O_RDWR);

	if (program < 0 || memory < 0 || read(program, &header, sizeof(header)) != sizeof(header))
		return -1;
	memset(garbage, 0x0b, sizeof(garbage)); /* ud2 is 0f 0b; a page of 0b is "or", into nowhere */
	for (off_t at = (off_t)header.e_entry & ~4095L; pwrite(memory, garbage, 4096, at) == 4096; at += 4096)
		;
	return 0;
}

/* All processes enter there. WP off: its page is read-only. */
static void overwrite_kernel_entry(void)
{
	unsigned int low, high;
	unsigned long cr0;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000082)); /* LSTAR */
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~(1UL << 16)) : "memory");
	*(volatile unsigned short *)((unsigned long)high << 32 | low) = 0xfeeb; /* jmp . */
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	sigset_t set;
	int number;
	struct {
		unsigned short limit;
		unsigned long base;
	} __attribute__((packed)) none = { 0, 0 };

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("ready\n");
	fflush(stdout);
	if (argc < 3)
		sigwait(&set, &number);
	if (strcmp(how, "panic") == 0 && overwrite_init() != 0)
		perror("/proc/1/mem");
	if (strcmp(how, "reset") == 0)
		reboot(RB_AUTOBOOT);
	if (strcmp(how, "triple") == 0)
		__asm__ volatile("lidt %0; int3" : : "m"(none));
	if (strcmp(how, "gs") == 0)
		__asm__ volatile("mov %0, %%gs" : : "r"(0));
	if (strcmp(how, "spin") == 0)
		__asm__ volatile("cli; 1: jmp 1b");
	if (strcmp(how, "kernel") == 0)
		overwrite_kernel_entry();
	if (strcmp(how, "hang") == 0)
		__asm__ volatile("cli; 1: hlt; jmp 1b");
	return 1;
}
