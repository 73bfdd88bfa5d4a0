// SPDX-License-Identifier: Apache-2.0
/* NMIs at any time: from another processor, as fast as it can, and from the monitor. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "../programs/check.h"
#include "nmi.h"

#define WANTED 400
#define ROUNDS 30
#define MAX_CPUS 4

static atomic_int working;
static atomic_long damage;

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* Works on a processor until enough NMIs have come to it; gives up after a minute. */
static void outlive(unsigned int cpu)
{
	long before = nmis(cpu), start = now();

	run_on(cpu);
	prepare_work();
	for (int rounds = 0; rounds < ROUNDS || (nmis(cpu) - before < WANTED && now() - start < 60); rounds++)
		damage += work();
}

static void *outlive_as_thread(void *cpu)
{
	outlive((unsigned int)(unsigned long)cpu);
	working--;
	return NULL;
}

/* Pauses of many lengths, so that NMIs find all kinds of instructions, and NMIs that have not returned. */
static void send_until_done(unsigned int targets)
{
	unsigned int random = 1;

	while (working > 0) {
		for (unsigned int cpu = 0; cpu < targets; cpu++)
			send_nmi(cpu);
		random = random * 1664525 + 1013904223;
		for (volatile unsigned int i = random >> 20; i > 0; i--)
			;
	}
}

static void from_another_processor(unsigned int cpus)
{
	unsigned int targets = (cpus < MAX_CPUS ? cpus : MAX_CPUS) - 1;
	pthread_t threads[MAX_CPUS];
	long before[MAX_CPUS], fewest = WANTED;

	run_on(cpus - 1);
	working = (int)targets;
	for (unsigned int cpu = 0; cpu < targets; cpu++) {
		before[cpu] = nmis(cpu);
		pthread_create(&threads[cpu], NULL, outlive_as_thread, (void *)(unsigned long)cpu);
	}
	send_until_done(targets);
	for (unsigned int cpu = 0; cpu < targets; cpu++) {
		pthread_join(threads[cpu], NULL);
		if (nmis(cpu) - before[cpu] < fewest)
			fewest = nmis(cpu) - before[cpu];
	}
	CHECK("nmi: a storm from another processor came", fewest >= WANTED, fewest);
	CHECK("nmi: nothing is lost in a storm from another processor", damage == 0, damage);
}

/* The test injects them from this line on. */
static void from_monitor(void)
{
	long before = nmis(0);

	damage = 0;
	printf("inject\n");
	outlive(0);
	printf("enough\n");
	CHECK("nmi: a storm from the monitor came", nmis(0) - before >= WANTED, nmis(0) - before);
	CHECK("nmi: nothing is lost in a storm from the monitor", damage == 0, damage);
}

void check_storms(unsigned int cpus)
{
	if (cpus > 1)
		from_another_processor(cpus);
	from_monitor();
}
