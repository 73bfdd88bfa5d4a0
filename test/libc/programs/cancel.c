// SPDX-License-Identifier: Apache-2.0
/* Cancellation: what waits is ended, what is done keeps its result. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int ends[2];
static volatile long counted;
static volatile int cleaned, go_on;
static sem_t ready;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void clean(void *argument)
{
	cleaned++;
	if (argument != NULL)
		pthread_mutex_unlock(argument);
}

static void *wait_in_read(void *argument)
{
	char byte;

	(void)argument;
	pthread_cleanup_push(clean, NULL);
	sem_post(&ready);
	if (read(ends[0], &byte, 1) != 0)
		counted++;
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_for_condition(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(clean, &mutex);
	sem_post(&ready);
	for (;;)
		pthread_cond_wait(&never, &mutex);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *sleep_long(void *argument)
{
	struct timespec hour = { 3600, 0 };

	(void)argument;
	sem_post(&ready);
	for (;;)
		nanosleep(&hour, NULL);
	return NULL;
}

static void *spin(void *argument)
{
	(void)argument;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	sem_post(&ready);
	for (;;)
		getppid();
	return NULL;
}

/* Not while it is off; then at the next chance. */
static void *turned_off(void *argument)
{
	struct timespec moment = { 0, 1000000 };

	(void)argument;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_post(&ready);
	while (!go_on)
		nanosleep(&moment, NULL);
	counted = 77;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	counted = 78;
	return NULL;
}

/* Gives a thread that has said it is ready the time to wait in the kernel; it is right without that, too. */
static void *cancel(void *(*function)(void *))
{
	struct timespec moment = { 0, 2000000 };
	void *result = NULL;
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, NULL) != 0)
		return NULL;
	sem_wait(&ready);
	nanosleep(&moment, NULL);
	pthread_cancel(thread);
	go_on = 1;
	pthread_join(thread, &result);
	return result;
}

static volatile sig_atomic_t in_handler, leave_handler;

static void stay(int signal)
{
	(void)signal;
	in_handler = 1;
	while (!leave_handler)
		;
}

/* The request comes while a handler runs on top of the system call that is to end. */
static void *cancel_in_handler(int flags)
{
	struct sigaction action = { .sa_handler = stay, .sa_flags = flags };
	struct timespec moment = { 0, 2000000 };
	void *result = NULL;
	pthread_t thread;

	in_handler = leave_handler = 0;
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, wait_in_read, NULL);
	sem_wait(&ready);
	nanosleep(&moment, NULL);
	pthread_kill(thread, SIGUSR1);
	while (!in_handler)
		nanosleep(&moment, NULL);
	pthread_cancel(thread);
	leave_handler = 1;
	pthread_join(thread, &result);
	return result;
}

static void *count_bytes(void *argument)
{
	char byte;

	(void)argument;
	sem_post(&ready);
	while (read(ends[0], &byte, 1) == 1)
		counted++;
	return NULL;
}

/* Bytes that a read has taken must have been counted, whenever it is cancelled. Returns how many were not. */
static long hammer(int rounds)
{
	long written = 0;
	int left = 0;

	counted = 0;
	for (int i = 0; i < rounds; i++) {
		void *result = NULL;
		pthread_t thread;

		if (pthread_create(&thread, NULL, count_bytes, NULL) != 0)
			return -1;
		sem_wait(&ready);
		for (int byte = 0; byte < i % 4; byte++)
			written += write(ends[1], "x", 1);
		for (volatile int spin = 0; spin < i * 37 % 3000; spin++)
			;
		pthread_cancel(thread);
		if (i % 3 == 0)
			written += write(ends[1], "x", 1);
		pthread_join(thread, &result);
		if (result != PTHREAD_CANCELED)
			return -2;
	}
	ioctl(ends[0], FIONREAD, &left);
	return written - counted - left;
}

void check_cancel(void)
{
	void *result;
	long lost;

	sem_init(&ready, 0, 0);
	if (pipe(ends) != 0)
		failed("cancel: pipe", "it can be made", errno);
	result = cancel(wait_in_read);
	CHECK("cancel: a read that waits", result == PTHREAD_CANCELED && cleaned == 1 && counted == 0, result);
	result = cancel(wait_for_condition);
	CHECK("cancel: a condition", result == PTHREAD_CANCELED && cleaned == 2 && pthread_mutex_trylock(&mutex) == 0,
	      result);
	result = cancel(sleep_long);
	CHECK("cancel: a sleep", result == PTHREAD_CANCELED, result);
	result = cancel(spin);
	CHECK("cancel: anywhere", result == PTHREAD_CANCELED, result);
	go_on = 0;
	result = cancel(turned_off);
	CHECK("cancel: turned off, then on", result == PTHREAD_CANCELED && counted == 77, counted);
	counted = 0;
	result = cancel_in_handler(SA_RESTART);
	CHECK("cancel: below a handler that restarts", result == PTHREAD_CANCELED && counted == 0, result);
	result = cancel_in_handler(0);
	CHECK("cancel: below a handler that interrupts", result == PTHREAD_CANCELED && counted == 0, result);
	lost = hammer(400);
	CHECK("cancel: no result is lost", lost == 0, lost);
}
