// SPDX-License-Identifier: Apache-2.0
/* THREADS MILLISECONDS [fifo]: so many threads keep the processors busy for so long, with "fifo" before all others. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct timespec end;

static int is_over(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec);
}

static void *work(void *unused)
{
	while (!is_over())
		;
	return unused;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	long milliseconds = argc > 2 ? atol(argv[2]) : 0;
	struct sched_param first = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += milliseconds / 1000;
	if (argc > 3 && pthread_setschedparam(pthread_self(), SCHED_FIFO, &first) != 0)
		return 1;
	for (int i = 1; i < count; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work, NULL) != 0)
			return 1;
	}
	work(NULL);
	printf("done\n");
	return 0;
}
