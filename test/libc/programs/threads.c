// SPDX-License-Identifier: Apache-2.0
/* Threads: their start, their end, what they share and what they do not. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 8, ROUNDS = 500, DETACHED = 300 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static _Thread_local long own = 5;
static long shared, next_thread;
static sem_t ends;

static void *count(void *argument)
{
	double value = (intptr_t)argument;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		shared++;
		pthread_mutex_unlock(&mutex);
		own++;
		/* Floating point that lives across a system call. */
		value = value * 1.5 + (getppid() < 0);
		value /= 1.5;
	}
	return (void *)(own == 5 + ROUNDS && value > (intptr_t)argument - 0.01 && value < (intptr_t)argument + 0.01
				? argument : NULL);
}

/* One after the other, each woken by the one before. */
static void *take_turns(void *argument)
{
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < ROUNDS / 10; i++) {
		while (next_thread != (intptr_t)argument)
			pthread_cond_wait(&turn, &mutex);
		next_thread = (next_thread + 1) % THREADS;
		pthread_cond_broadcast(&turn);
	}
	pthread_mutex_unlock(&mutex);
	return argument;
}

static void *post(void *argument)
{
	sem_post(&ends);
	if (argument != NULL)
		pthread_exit(argument);
	return NULL;
}

static long run(void *(*function)(void *))
{
	pthread_t threads[THREADS];
	long right = 0;

	for (intptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, function, (void *)i) != 0)
			return -1;
	for (intptr_t i = 0; i < THREADS; i++) {
		void *result = &mutex;

		right += pthread_join(threads[i], &result) == 0 && result == (void *)i;
	}
	return right;
}

void check_threads(void)
{
	pthread_attr_t detached;
	long right = run(count);
	int result = 0;

	CHECK("threads: run and end", right == THREADS, right);
	CHECK("threads: share memory and locks", shared == THREADS * ROUNDS, shared);
	CHECK("threads: each has its own", own == 5, own);
	right = run(take_turns);
	CHECK("threads: wake each other", right == THREADS, right);

	sem_init(&ends, 0, 0);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&detached, 16384);
	for (int i = 0; i < DETACHED && result == 0; i++) {
		pthread_t thread;

		/* Waits for memory that a thread which has just ended still holds. */
		do
			result = pthread_create(&thread, &detached, post, i % 2 ? &mutex : NULL);
		while (result == EAGAIN);
		sem_wait(&ends);
	}
	CHECK("threads: detached ones free their own stack", result == 0, result);

	/* Reaches all threads by a signal. */
	result = setgid(getgid()) + setuid(getuid());
	CHECK("threads: all change their user", result == 0, result);
}
