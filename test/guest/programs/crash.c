// SPDX-License-Identifier: Apache-2.0
/*
 * Ends the guest before its time, in the way that its argument names.
 * panic: overwrites process 1, whose death is the kernel's panic. triple: takes away the interrupt table, so that the
 * next fault resets the machine. gs: loads GS, which is the kernel's. reset: asks the kernel for a reset. hang: stops
 * the processor for good. spin: keeps it, with interrupts off. other: keeps the second processor so, and has the first
 * one wait for it. kernel: lets the kernel's system call entry spin. null: has the kernel call through a NULL pointer.
 * It says "ready" and waits for SIGUSR1 first, so that what it said has reached the host by then; with a second
 * argument it does not wait.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
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

/* WP off: what the kernel only reads can be written. */
static void allow_writes(void)
{
	unsigned long cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 & ~(1UL << 16)) : "memory");
}

/* The entry names the table of system calls. */
static void clear_system_call(void)
{
	const unsigned char *at = (const unsigned char *)getauxval(32); /* AT_SYSINFO */
	long result = SYS_getppid;
	int table;

	while (memcmp(at, "\xff\x14\xc5", 3) != 0) /* call *table(,%rax,8) */
		at++;
	memcpy(&table, at + 3, sizeof(table));
	allow_writes();
	((void *volatile *)(long)table)[SYS_getppid] = NULL;
	__asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp"
			 : "+a"(result) : "r"(getauxval(32)) : "rcx", "r11", "memory", "cc");
}

/* All processes enter there. */
static void overwrite_kernel_entry(void)
{
	unsigned int low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000082)); /* LSTAR */
	allow_writes();
	*(volatile unsigned short *)((unsigned long)high << 32 | low) = 0xfeeb; /* jmp . */
}

static void move_to(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static volatile int deaf;

static void *keep_second(void *argument)
{
	move_to(1);
	__asm__ volatile("cli; movl $1, %0; 1: jmp 1b" : "=m"(deaf));
	return argument;
}

/* A page that is gone is told to all processors that run the program, and each must answer. */
static void wait_for_second(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;

	move_to(0);
	pthread_create(&thread, NULL, keep_second, NULL);
	while (!deaf)
		;
	*page = 1;
	munmap(page, 4096);
	pthread_join(thread, NULL);
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
	if (strcmp(how, "other") == 0)
		wait_for_second();
	if (strcmp(how, "null") == 0)
		clear_system_call();
	if (strcmp(how, "kernel") == 0)
		overwrite_kernel_entry();
	if (strcmp(how, "hang") == 0)
		__asm__ volatile("cli; 1: hlt; jmp 1b");
	return 1;
}
