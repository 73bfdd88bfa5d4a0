// SPDX-License-Identifier: Apache-2.0
#include "agent.h"

#include <errno.h>
#include <unistd.h>

#include "log.h"

#define RETRY_MS 5
#define LINGER_MS 20

static unsigned char buffer[FRAME_HEADER + AGENT_PAYLOAD_MAX];

static struct {
	int open;
	int ending;
	int port;
	struct frame_reader reader;
	struct outbox outbox;
	struct session sessions[AGENT_SESSIONS];
	size_t first; /* which session is served first: it moves on, so that none starves */
} agent;

void agent_open(int port)
{
	agent.open = 1;
	agent.port = port;
	agent.reader.buffer = buffer;
}

void agent_end(void)
{
	agent.ending = 1;
}

/* The host has left, or says what nobody understands: nothing that it has asked for goes on. */
static void give_up(void)
{
	for (size_t i = 0; i < AGENT_SESSIONS; i++)
		if (agent.sessions[i].used)
			session_close(&agent.sessions[i]);
	agent.open = 0;
}

static struct session *session_find(uint16_t id)
{
	for (size_t i = 0; i < AGENT_SESSIONS; i++)
		if (agent.sessions[i].used && agent.sessions[i].id == id)
			return &agent.sessions[i];
	return NULL;
}

static void refuse(uint16_t id, int error, const char *message)
{
	struct frame_writer writer;

	frame_begin(&writer, AGENT_FAILED);
	frame_add(&writer, "stage", "exec");
	frame_add_number(&writer, "errno", (uint64_t)error);
	frame_add_number(&writer, "status", 125);
	frame_add(&writer, "message", message);
	outbox_add(&agent.outbox, &writer, id);
}

static int handle_open(const struct frame *frame)
{
	if (session_find(frame->session) || !records_valid(frame))
		return -1;
	if (agent.ending) {
		refuse(frame->session, ESHUTDOWN, "the program has ended, and the guest does nothing more");
		return 0;
	}
	for (size_t i = 0; i < AGENT_SESSIONS; i++) {
		if (agent.sessions[i].used)
			continue;
		session_open(&agent.sessions[i], frame);
		return 0;
	}
	refuse(frame->session, EBUSY, "the guest does too many things at a time already");
	return 0;
}

static int handle(const struct frame *frame)
{
	struct session *session;

	if (frame->type == AGENT_OPEN)
		return handle_open(frame);
	if (frame->type != AGENT_INPUT && !records_valid(frame))
		return -1;
	session = session_find(frame->session);
	/* One that has just ended may still be spoken to. */
	return session ? session_frame(session, frame) : 0;
}

/* Whether a request can be answered, whatever the answer is. */
static int can_answer(void)
{
	return outbox_has_room(&agent.outbox, ANSWER_MAX);
}

/* 1: there may be more. */
static int read_some(void)
{
	struct frame frame;
	int state = 0;
	ssize_t got = read(agent.port, buffer + agent.reader.have, sizeof(buffer) - agent.reader.have);

	if (got == 0)
		return -1;
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	agent.reader.have += (size_t)got;
	while (can_answer() && (state = frame_peek_session(&agent.reader, AGENT_PAYLOAD_MAX, &frame)) == 1) {
		if (handle(&frame) != 0)
			return -1;
		frame_drop(&agent.reader, &frame);
	}
	return state < 0 ? -1 : 1;
}

static void receive(void)
{
	int more = 1;

	for (int round = 0; round < 8 && more == 1 && can_answer() && agent.reader.have < sizeof(buffer); round++)
		more = read_some();
	if (more < 0) {
		log_line("the agent's port is given up: the host has left it, or does not keep to the contract");
		give_up();
	}
}

void agent_poll(struct pollfd *entries)
{
	int room = outbox_has_room(&agent.outbox, OUTPUT_MAX + ANSWER_MAX);

	for (size_t i = 0; i < AGENT_POLLS; i++)
		entries[i] = (struct pollfd){ .fd = -1 };
	if (!agent.open)
		return;
	entries[0] = (struct pollfd){ .fd = agent.port, .events = can_answer() ? POLLIN : 0 };
	if (agent.outbox.start < agent.outbox.end && !agent.outbox.retry)
		entries[0].events |= POLLOUT;
	for (size_t i = 0; i < AGENT_SESSIONS; i++)
		session_poll(&agent.sessions[i], entries + 1 + i * SESSION_POLLS, room);
}

void agent_polled(const struct pollfd *entries)
{
	if (!agent.open)
		return;
	if (outbox_flush(&agent.outbox, agent.port) != 0 || entries[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
		give_up();
		return;
	}
	if (entries[0].revents & POLLIN || agent.reader.have > 0)
		receive();
	for (size_t n = 0; agent.open && n < AGENT_SESSIONS; n++) {
		size_t i = (agent.first + n) % AGENT_SESSIONS;
		if (agent.sessions[i].used)
			session_polled(&agent.sessions[i], entries + 1 + i * SESSION_POLLS, &agent.outbox);
	}
	agent.first = (agent.first + 1) % AGENT_SESSIONS;
	if (agent.open && outbox_flush(&agent.outbox, agent.port) != 0)
		give_up();
}

void agent_reaped(pid_t pid, int wait_status)
{
	for (size_t i = 0; agent.open && i < AGENT_SESSIONS; i++)
		if (agent.sessions[i].used && agent.sessions[i].program.pid == pid)
			session_reaped(&agent.sessions[i], wait_status);
}

int agent_next_look(void)
{
	if (!agent.open)
		return -1;
	if (agent.outbox.retry)
		return RETRY_MS;
	for (size_t i = 0; i < AGENT_SESSIONS; i++)
		if (session_lingers(&agent.sessions[i]))
			return LINGER_MS;
	return -1;
}
