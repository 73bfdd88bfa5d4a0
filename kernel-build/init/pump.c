// SPDX-License-Identifier: Apache-2.0
#include "pump.h"

#include <errno.h>
#include <unistd.h>

static void close_side(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The reader has gone: so must the writer learn (a program gets SIGPIPE, as it does on any other machine). */
static void abandon(struct pump *pump)
{
	pump->start = pump->end = 0;
	close_side(&pump->from);
	close_side(&pump->to);
}

/* Closing the pipe tells a program that its input has ended. */
static void end_when_given(struct pump *pump)
{
	if (pump->ends_to && pump_done(pump))
		close_side(&pump->to);
}

void pump_open(struct pump *pump, int from, int to, int ends_to)
{
	pump->ends_to = ends_to;
	pump->from = from;
	pump->to = to;
	pump->taken = pump->given = 0;
	pump->limit = PUMP_NO_LIMIT;
	pump->retry = 0;
	pump->start = pump->end = 0;
}

/* 1: there is something to give. */
static int take(struct pump *pump)
{
	uint64_t left = pump->limit - pump->taken;
	size_t want = left < PUMP_BUFFER ? (size_t)left : PUMP_BUFFER;
	ssize_t got = want ? read(pump->from, pump->buffer, want) : 0;

	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			close_side(&pump->from);
		return 0;
	}
	if (got == 0) {
		close_side(&pump->from);
		return 0;
	}
	pump->taken += (uint64_t)got;
	if (pump->taken == pump->limit)
		close_side(&pump->from);
	pump->start = 0;
	pump->end = (size_t)got;
	return 1;
}

/* 1: all that was taken is given. */
static int give(struct pump *pump)
{
	while (pump->start < pump->end) {
		/* A port takes at most 32 KiB at once, and says so by a short count. */
		ssize_t put = write(pump->to, pump->buffer + pump->start, pump->end - pump->start);
		if (put > 0) {
			pump->start += (size_t)put;
			pump->given += (uint64_t)put;
			continue;
		}
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN && errno != ENOMEM)
			abandon(pump);
		pump->retry = put < 0 && errno == ENOMEM;
		return 0;
	}
	return 1;
}

void pump_move(struct pump *pump)
{
	pump->retry = 0;
	/* A few buffers at a time: no stream may starve the others or the control port. */
	for (int round = 0; round < 8; round++) {
		if (pump->to < 0 || !give(pump))
			break;
		if (pump->from < 0 || !take(pump))
			break;
	}
	end_when_given(pump);
}

void pump_poll(const struct pump *pump, struct pollfd entries[2])
{
	int full = pump->start < pump->end;

	/* A closed peer shows on the `to` side even where nothing is to be written, so that side is always watched. */
	entries[0] = (struct pollfd){ .fd = full ? -1 : pump->from, .events = POLLIN };
	entries[1] = (struct pollfd){ .fd = pump->to, .events = full && !pump->retry ? POLLOUT : 0 };
}

void pump_polled(struct pump *pump, const struct pollfd entries[2])
{
	if (pump->to >= 0 && entries[1].revents & (POLLERR | POLLHUP | POLLNVAL)) {
		abandon(pump);
		return;
	}
	if (entries[0].revents || entries[1].revents || pump->retry)
		pump_move(pump);
}

void pump_limit(struct pump *pump, uint64_t limit)
{
	pump->limit = limit < pump->taken ? pump->taken : limit;
	pump_move(pump);
}

int pump_done(const struct pump *pump)
{
	return pump->from < 0 && pump->start == pump->end;
}
