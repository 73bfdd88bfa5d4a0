// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's process 1: takes START from the node, runs the one program, moves its standard streams, reaps, reports
 * EXIT, and ends the machine. What it says and hears is docs/guest-contract.md, version 2.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "frames.h"
#include "log.h"
#include "mounts.h"
#include "network.h"
#include "paths.h"
#include "ports.h"
#include "program.h"
#include "pump.h"
#include "root.h"
#include "settings.h"
#include "streams.h"
#include "volumes.h"

#define CONTRACT "2"
/* The version of the agent. */
#define AGENT "1"
/* How long the streams may stay open after the program's end although everything else has been killed. */
#define STRAGGLER_MS 2000
#define RETRY_MS 5
/* How often to look for a host that has left the control port and may come back. */
#define RECONNECT_MS 50
/* What poll() watches: the control port, three pumps, the agent. */
#define POLLS (7 + AGENT_POLLS)

static unsigned char control_bytes[FRAME_HEADER + FRAME_PAYLOAD_MAX];

static struct {
	struct ports ports;
	struct frame_reader reader;
	struct pump input, output, error;
	int started;   /* START has come */
	pid_t pid;     /* the program's; 0 before and after */
	int ended;     /* the program has ended, or could not be started */
	int wait_status;
	int failed;    /* `failure` is why there was no program */
	struct failure failure;
	struct timespec end_time;
	int reported;  /* EXIT is sent */
	int tethered;  /* the machine ends when the host leaves the control port */
	int away;      /* the host has left it */
	int power_off; /* end by ACPI, not by a reset */
	int agent;     /* the node has the agent's port; 0 again when it was found */
} machine;

static void send_frame(struct frame_writer *writer)
{
	frame_finish(writer);
	/* A host that has gone is noticed by the poll. */
	(void)port_write_all(machine.ports.control, writer->bytes, writer->length);
}

/* The two low bits of CS. */
static unsigned int privilege_level(void)
{
	unsigned int selector;

	__asm__ volatile("mov %%cs, %0" : "=r"(selector));
	return selector & 3;
}

static uint64_t time_stamp_counter(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void send_hello(void)
{
	struct frame_writer writer;
	struct utsname names;
	struct sysinfo info;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	uname(&names);
	sysinfo(&info);

	frame_begin(&writer, FRAME_HELLO);
	frame_add(&writer, "contract", CONTRACT);
	frame_add(&writer, "agent", AGENT);
	frame_add(&writer, "kernel", names.release);
	frame_add_number(&writer, "cpl", privilege_level());
	frame_add_number(&writer, "cpus", (uint64_t)CPU_COUNT(&cpus));
	frame_add_number(&writer, "memory", (uint64_t)info.totalram * info.mem_unit);
	send_frame(&writer);
}

static void send_failure(const struct failure *failure)
{
	struct frame_writer writer;

	frame_begin(&writer, FRAME_FAILURE);
	frame_add(&writer, "stage", failure->stage);
	frame_add_number(&writer, "errno", (uint64_t)failure->error);
	frame_add(&writer, "message", failure->message);
	send_frame(&writer);
}

static void send_started(void)
{
	struct frame_writer writer;

	frame_begin(&writer, FRAME_STARTED);
	frame_add_number(&writer, "pid", (uint64_t)machine.pid);
	send_frame(&writer);
}

static void send_pong(const struct frame *ping)
{
	struct frame_writer writer;
	const char *id = record_find(ping, "id");

	frame_begin(&writer, FRAME_PONG);
	frame_add_number(&writer, "tsc", time_stamp_counter());
	frame_add(&writer, "id", id ? id : "");
	send_frame(&writer);
}

static void send_exit(void)
{
	struct frame_writer writer;
	int status = machine.wait_status;

	frame_begin(&writer, FRAME_EXIT);
	if (machine.failed)
		frame_add_number(&writer, "status", (uint64_t)machine.failure.status);
	else if (WIFSIGNALED(status))
		frame_add_number(&writer, "signal", (uint64_t)WTERMSIG(status));
	else
		frame_add_number(&writer, "status", (uint64_t)WEXITSTATUS(status));
	if (!machine.failed && WIFSIGNALED(status) && WCOREDUMP(status))
		frame_add(&writer, "core", "1");
	frame_add_number(&writer, "stdout", machine.output.given);
	frame_add_number(&writer, "stderr", machine.error.given);
	send_frame(&writer);
}

static int prepare(const struct frame *start, struct failure *failure)
{
	const char *cwd = record_find(start, "cwd");

	settings_seed(start);
	settings_clock(start);
	if (root_enter(start, failure) != 0)
		return -1;
	mounts_for_program();
	network_loopback();
	int error = network_configure(start);
	if (error) {
		failure_set(failure, "network", error, 125, "cannot configure the network: %s", strerror(error));
		return -1;
	}
	settings_names(start);
	if (root_scratch(start, failure) != 0 || volumes_mount(start, failure) != 0)
		return -1;
	/* A working directory that the image only names is made, as container engines do; a failure shows as it is entered. */
	if (cwd && *cwd)
		path_make(cwd);
	return root_protect(start, failure);
}

static void end_program(void)
{
	machine.ended = 1;
	machine.pid = 0;
	clock_gettime(CLOCK_MONOTONIC, &machine.end_time);
	agent_end();
	/* All but this process. What they have written is still in the pipes. */
	kill(-1, SIGKILL);
}

static void handle_start(const struct frame *start)
{
	const char *end = record_find(start, "end");
	struct program program;

	if (machine.started)
		return;
	machine.started = 1;
	machine.tethered = record_is_set(start, "tether");
	machine.power_off = end && strcmp(end, "power-off") == 0;
	if (prepare(start, &machine.failure) != 0 || program_start(start, &program, &machine.failure) != 0) {
		machine.failed = 1;
		send_failure(&machine.failure);
		end_program();
		return;
	}
	machine.pid = program.pid;
	machine.agent = record_is_set(start, "agent");
	pump_open(&machine.output, program.output, machine.ports.output, 0);
	pump_open(&machine.error, program.error, machine.ports.error, 0);
	if (program.input >= 0) {
		/* An input that had its end before the program had its start keeps its limit. */
		uint64_t limit = machine.input.limit;
		pump_open(&machine.input, machine.ports.input, program.input, 1);
		pump_limit(&machine.input, limit);
	}
	send_started();
}

static void handle_frame(const struct frame *frame)
{
	uint64_t number;

	if (!records_valid(frame))
		die("a frame of type %d on the control port is damaged", frame->type);
	switch (frame->type) {
	case FRAME_START:
		handle_start(frame);
		break;
	case FRAME_SIGNAL:
		if (machine.pid > 0 && parse_number(record_find(frame, "number"), &number) == 0 && number < _NSIG)
			kill(machine.pid, (int)number);
		break;
	case FRAME_STDIN_END:
		if (parse_number(record_find(frame, "bytes"), &number) == 0)
			pump_limit(&machine.input, number);
		break;
	case FRAME_RESIZE:
		terminal_resize(machine.output.from, frame);
		break;
	case FRAME_PING:
		send_pong(frame);
		break;
	case FRAME_END:
		if (machine.reported)
			machine_end(machine.power_off);
		break;
	}
}

static void host_has_left(void)
{
	if (machine.tethered)
		machine_end(machine.power_off);
	machine.away = 1;
}

static void read_control(void)
{
	struct frame_reader *reader = &machine.reader;
	struct frame frame;
	ssize_t got;

	while ((got = read(machine.ports.control, reader->buffer + reader->have, sizeof(control_bytes) - reader->have)) > 0) {
		int state;

		reader->have += (size_t)got;
		while ((state = frame_peek(reader, &frame)) == 1) {
			handle_frame(&frame);
			frame_drop(reader, &frame);
		}
		if (state < 0)
			die("what comes on the control port is no frame");
	}
	if (got == 0)
		host_has_left();
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		agent_reaped(pid, status);
		if (pid != machine.pid)
			continue;
		machine.wait_status = status;
		end_program();
	}
}

static long milliseconds_since_end(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - machine.end_time.tv_sec) * 1000L + (now.tv_nsec - machine.end_time.tv_nsec) / 1000000L;
}

/* Nothing is left to be read, although something that cannot be killed holds the pipe open. */
static int idle(const struct pump *pump)
{
	struct pollfd pipe = { .fd = pump->from, .events = POLLIN };

	return pump_done(pump) || (pump->start == pump->end && poll(&pipe, 1, 0) == 0);
}

static void report_when_drained(void)
{
	int drained = pump_done(&machine.output) && pump_done(&machine.error);

	if (!drained && milliseconds_since_end() >= STRAGGLER_MS)
		drained = idle(&machine.output) && idle(&machine.error);
	if (!drained)
		return;
	volumes_unmount();
	sync();
	send_exit();
	machine.reported = 1;
}

/* When to look again although nothing has happened; -1: never. */
static int next_look(void)
{
	if (machine.input.retry || machine.output.retry || machine.error.retry || machine.agent)
		return RETRY_MS;
	if (machine.away || (machine.ended && !machine.reported))
		return RECONNECT_MS;
	return agent_next_look();
}

static void wait_for_events(struct pollfd entries[POLLS])
{
	struct timespec limit = { 0 };
	sigset_t none;
	int milliseconds = next_look();

	entries[0] = (struct pollfd){ .fd = machine.away ? -1 : machine.ports.control, .events = POLLIN };
	pump_poll(&machine.input, &entries[1]);
	pump_poll(&machine.output, &entries[3]);
	pump_poll(&machine.error, &entries[5]);
	agent_poll(&entries[7]);
	limit.tv_nsec = milliseconds * 1000000L;
	sigemptyset(&none);
	if (ppoll(entries, POLLS, milliseconds < 0 ? NULL : &limit, &none) < 0)
		memset(entries, 0, POLLS * sizeof(*entries));
}

/* Nobody waits for the agent's port: it is looked for when the program runs. */
static void find_agent(void)
{
	if (!machine.agent || !ports_find_agent(&machine.ports))
		return;
	machine.agent = 0;
	agent_open(machine.ports.agent);
}

__attribute__((noreturn)) static void run(void)
{
	struct pollfd entries[POLLS];

	for (;;) {
		/* Frames first: START is often there before the first wait. */
		read_control();
		if (machine.ended && !machine.reported)
			report_when_drained();
		find_agent();
		wait_for_events(entries);
		if (machine.away)
			machine.away = !port_host_connected(machine.ports.control);
		reap();
		pump_polled(&machine.input, &entries[1]);
		pump_polled(&machine.output, &entries[3]);
		pump_polled(&machine.error, &entries[5]);
		agent_polled(&entries[7]);
	}
}

static void on_child(int number)
{
	(void)number; /* Its only use is to interrupt ppoll. */
}

static void signals(void)
{
	struct sigaction child = { .sa_handler = on_child };
	sigset_t children;

	/* Delivered in ppoll and nowhere else. */
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	sigaction(SIGCHLD, &child, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Descriptors 0, 1 and 2 must be taken, or a pipe would get their numbers and dup2 in the child would go wrong. */
static void standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			die("cannot open /dev/null (error %d)", errno);
	} while (fd <= 2);
	close(fd);
}

int main(void)
{
	signals();
	mounts_early();
	standard_descriptors();
	ports_open(&machine.ports);
	machine.reader.buffer = control_bytes;
	pump_open(&machine.input, -1, -1, 1);
	pump_open(&machine.output, -1, -1, 0);
	pump_open(&machine.error, -1, -1, 0);
	send_hello();
	run();
}
