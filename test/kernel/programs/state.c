// SPDX-License-Identifier: Apache-2.0
/* Registers of processes that share a processor do not mix. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "check.h"

static atomic_long mixed_up;

static void clobber(int signal)
{
	(void)signal;
	/* A handler uses the registers as it likes. */
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15"
			 : : : "xmm0", "xmm7", "xmm15");
}

static void *hold(void *number)
{
	unsigned long value = (unsigned long)number * 0x0101010101010101, low, high, general;

	for (int i = 0; i < 2000; i++) {
		__asm__ volatile(
			"movq %3, %%xmm7; movq %3, %%xmm15; mov %3, %%r15\n"
			"mov $2000, %%ecx\n"
			"1: dec %%ecx; jnz 1b\n"
			"movq %%xmm7, %0; movq %%xmm15, %1; mov %%r15, %2\n"
			: "=&r"(low), "=&r"(high), "=&r"(general) : "r"(value)
			: "xmm7", "xmm15", "r15", "rcx", "cc");
		if (low != value || high != value || general != value)
			mixed_up++;
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}

void check_state(void)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = clobber, .sa_flags = SA_RESTART };
	pthread_t threads[4];

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (long i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hold, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	CHECK("registers outlive signals and other threads", mixed_up == 0, mixed_up);
}
