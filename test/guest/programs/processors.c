// SPDX-License-Identifier: Apache-2.0
/* Says how many processors it has, and runs one thread on each at the same time. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int arrived;
static int count;

static void *meet(void *number)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)number, &one);
	if (pthread_setaffinity_np(pthread_self(), sizeof(one), &one) != 0)
		return number;
	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) < count)
		sched_yield();
	return NULL;
}

int main(void)
{
	pthread_t threads[64];
	int failed = 0;

	count = (int)sysconf(_SC_NPROCESSORS_ONLN);
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, meet, (void *)i) != 0)
			return 1;
	for (int i = 0; i < count; i++) {
		void *result;
		pthread_join(threads[i], &result);
		failed |= result != NULL;
	}
	printf("processors %d\n", count);
	return failed;
}
