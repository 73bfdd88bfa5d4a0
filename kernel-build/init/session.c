// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "archive.h"
#include "reports.h"
#include "streams.h"

/* How long something that was left in the background may hold the output open when the process itself has ended. */
#define STRAGGLER_MS 2000

/* Ctrl-D: how the input of a terminal ends. */
#define TERMINAL_END 4

static const struct {
	const char *kind;
	program_body body;
} kinds[] = {
	{ "exec", NULL },
	{ "pack", archive_pack },
	{ "unpack", archive_unpack },
	{ "path", report_path },
	{ "stats", report_stats },
	{ "processes", report_processes },
};

static void close_side(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void fail(struct session *session)
{
	session->failed = 1;
	session->starting = 0;
}

static int kind_find(const struct frame *open)
{
	const char *kind = record_find(open, "kind");

	for (size_t i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			return (int)i;
	return -1;
}

void session_open(struct session *session, const struct frame *open)
{
	int kind = kind_find(open);

	*session = (struct session){ .used = 1, .id = open->session, .starting = 1, .fresh = 1 };
	session->program = (struct program){ -1, -1, -1, -1, -1 };
	session->terminal = record_is_set(open, "tty");
	session->detached = record_is_set(open, "detach");
	if (parse_number(record_find(open, "credit"), &session->credit) != 0)
		session->credit = 0;
	session->input = malloc(SESSION_INPUT_MAX);
	if (kind < 0 || !session->input) {
		failure_set(&session->failure, "exec", kind < 0 ? ENOSYS : ENOMEM, 125,
			    kind < 0 ? "this guest does not know how to do that" : "no memory for a session");
		fail(session);
		return;
	}
	if (program_begin(open, kinds[kind].body, &session->program, &session->failure) != 0) {
		fail(session);
		return;
	}
	fcntl(session->program.report, F_SETFL, O_NONBLOCK);
}

static void forget(struct session *session)
{
	close_side(&session->program.input);
	close_side(&session->program.output);
	close_side(&session->program.error);
	close_side(&session->program.report);
	free(session->input);
	*session = (struct session){ 0 };
}

/* The process, and what it has started that did not leave its process group. */
static void send_signal(const struct session *session, int number)
{
	if (session->program.pid <= 0 || session->ended)
		return;
	if (kill(-session->program.pid, number) != 0)
		kill(session->program.pid, number);
}

void session_close(struct session *session)
{
	send_signal(session, SIGKILL);
	forget(session);
}

static void end_input(struct session *session)
{
	if (!session->input_ended || session->input_start < session->input_end)
		return;
	if (session->terminal && session->program.input >= 0) {
		char end = TERMINAL_END;
		if (write(session->program.input, &end, 1) < 0) {
			/* A full terminal: who reads it is told the end by the hangup. */
		}
	}
	close_side(&session->program.input);
}

/* A process that wants no more input: what the host sends is taken all the same, so that nothing waits for it. */
static void drop_input(struct session *session)
{
	close_side(&session->program.input);
	session->consumed += session->input_end - session->input_start;
	session->input_start = session->input_end = 0;
}

static void give_input(struct session *session)
{
	while (session->program.input >= 0 && session->input_start < session->input_end) {
		ssize_t put = write(session->program.input, session->input + session->input_start,
				    session->input_end - session->input_start);
		if (put > 0) {
			session->input_start += (size_t)put;
			session->consumed += (uint64_t)put;
			continue;
		}
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN)
			drop_input(session);
		break;
	}
	end_input(session);
}

static int take_input(struct session *session, const struct frame *frame)
{
	if (session->program.input < 0 || session->input_ended) {
		session->consumed += frame->length;
		return 0;
	}
	if (session->input_end - session->input_start + frame->length > SESSION_INPUT_MAX)
		return -1;
	memmove(session->input, session->input + session->input_start, session->input_end - session->input_start);
	session->input_end -= session->input_start;
	session->input_start = 0;
	memcpy(session->input + session->input_end, frame->payload, frame->length);
	session->input_end += frame->length;
	give_input(session);
	return 0;
}

int session_frame(struct session *session, const struct frame *frame)
{
	uint64_t number;

	switch (frame->type) {
	case AGENT_INPUT:
		return take_input(session, frame);
	case AGENT_INPUT_END:
		session->input_ended = 1;
		end_input(session);
		return 0;
	case AGENT_CREDIT:
		if (parse_number(record_find(frame, "bytes"), &number) == 0)
			session->credit += number;
		return 0;
	case AGENT_RESIZE:
		if (session->terminal)
			terminal_resize(session->program.output, frame);
		return 0;
	case AGENT_SIGNAL:
		if (parse_number(record_find(frame, "number"), &number) == 0 && number > 0 && number < _NSIG)
			send_signal(session, (int)number);
		return 0;
	case AGENT_CLOSE:
		session_close(session);
		return 0;
	}
	return 0;
}

void session_reaped(struct session *session, int wait_status)
{
	session->ended = 1;
	session->wait_status = wait_status;
	clock_gettime(CLOCK_MONOTONIC, &session->end_time);
}

void session_poll(const struct session *session, struct pollfd *entries, int room)
{
	const struct program *program = &session->program;
	int takes = room && session->credit > 0 && !session->starting && !session->opened;

	for (int i = 0; i < SESSION_POLLS; i++)
		entries[i] = (struct pollfd){ .fd = -1 };
	if (!session->used)
		return;
	entries[0] = (struct pollfd){ .fd = program->report, .events = POLLIN };
	/* A pipe whose reader has gone shows it at any time; a terminal's master shows its hangup on the output side. */
	if (!session->terminal || session->input_start < session->input_end)
		entries[1] = (struct pollfd){ .fd = program->input,
					      .events = session->input_start < session->input_end ? POLLOUT : 0 };
	if (takes) {
		entries[2] = (struct pollfd){ .fd = program->output, .events = POLLIN };
		entries[3] = (struct pollfd){ .fd = program->error, .events = POLLIN };
	}
}

static void send_output(struct session *session, int *fd, uint16_t type, struct outbox *outbox)
{
	long got;

	if (*fd < 0 || session->credit == 0 || !outbox_has_room(outbox, OUTPUT_MAX + ANSWER_MAX))
		return;
	got = outbox_read(outbox, *fd, session->credit, type, session->id);
	if (got > 0)
		session->credit -= (uint64_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close_side(fd);
}

static void say_failed(const struct session *session, struct outbox *outbox)
{
	struct frame_writer writer;

	frame_begin(&writer, AGENT_FAILED);
	frame_add(&writer, "stage", session->failure.stage);
	frame_add_number(&writer, "errno", (uint64_t)session->failure.error);
	frame_add_number(&writer, "status", (uint64_t)session->failure.status);
	frame_add(&writer, "message", session->failure.message);
	outbox_add(outbox, &writer, session->id);
}

static void say_number(uint16_t type, const char *key, uint64_t number, uint16_t session, struct outbox *outbox)
{
	struct frame_writer writer;

	frame_begin(&writer, type);
	frame_add_number(&writer, key, number);
	outbox_add(outbox, &writer, session);
}

static long milliseconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000L + (now.tv_nsec - then->tv_nsec) / 1000000L;
}

static int is_silent(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN };

	return fd < 0 || poll(&entry, 1, 0) == 0;
}

/* All output is sent, or what holds it open is not the process itself and has nothing to say. */
static int is_drained(const struct session *session)
{
	const struct program *program = &session->program;

	if (program->output < 0 && program->error < 0)
		return 1;
	return milliseconds_since(&session->end_time) >= STRAGGLER_MS && is_silent(program->output) &&
	       is_silent(program->error);
}

static void say_exit(struct session *session, struct outbox *outbox)
{
	int status = session->wait_status;

	if (WIFSIGNALED(status))
		say_number(AGENT_EXIT, "signal", (uint64_t)WTERMSIG(status), session->id, outbox);
	else
		say_number(AGENT_EXIT, "status", (uint64_t)WEXITSTATUS(status), session->id, outbox);
}

static void look_at_start(struct session *session)
{
	int outcome = program_outcome(&session->program, &session->failure);

	if (outcome < 0)
		fail(session);
	if (outcome > 0) {
		session->starting = 0;
		session->opened = 1;
	}
}

static void say_owed(struct session *session, struct outbox *outbox)
{
	if (session->failed && outbox_has_room(outbox, ANSWER_MAX)) {
		say_failed(session, outbox);
		forget(session);
	}
	if (session->opened && outbox_has_room(outbox, ANSWER_MAX)) {
		session->opened = 0;
		say_number(AGENT_OPENED, "pid", (uint64_t)session->program.pid, session->id, outbox);
		if (session->detached)
			forget(session);
	}
	if (session->consumed > 0 && !session->starting && outbox_has_room(outbox, ANSWER_MAX)) {
		say_number(AGENT_CREDIT_BACK, "bytes", session->consumed, session->id, outbox);
		session->consumed = 0;
	}
}

static void move_input(struct session *session, const struct pollfd *entry)
{
	if (entry->revents & (POLLERR | POLLNVAL))
		drop_input(session);
	else if (entry->revents)
		give_input(session);
}

void session_polled(struct session *session, const struct pollfd *entries, struct outbox *outbox)
{
	/* What was polled for was not this session's. */
	int fresh = session->fresh;

	session->fresh = 0;
	if (session->starting && session->program.report >= 0)
		look_at_start(session);
	if (!fresh)
		move_input(session, &entries[1]);
	say_owed(session, outbox);
	if (!session->used || session->starting || session->opened || fresh)
		return;
	/* After its end what is left is read without being told of it. */
	if (entries[2].revents || session->ended)
		send_output(session, &session->program.output, AGENT_OUTPUT, outbox);
	if (entries[3].revents || session->ended)
		send_output(session, &session->program.error, AGENT_ERROR, outbox);
	if (session->ended && is_drained(session) && outbox_has_room(outbox, ANSWER_MAX)) {
		say_exit(session, outbox);
		forget(session);
	}
}

int session_lingers(const struct session *session)
{
	return session->used && session->ended;
}
