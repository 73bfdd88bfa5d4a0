// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "streams.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* A pipe whose end number `ours` is init's, non-blocking; the other belongs to the user, so that /dev/stdout opens. */
static int stream_pipe(int ours, const struct user *user, int *own_end, int *program_end)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	*own_end = ends[ours];
	*program_end = ends[!ours];
	fcntl(*own_end, F_SETFL, O_NONBLOCK);
	if (fchown(*program_end, user->uid, user->gid) != 0) {
		/* Then only /dev/stdout and its kin do not open for that user. */
	}
	return 0;
}

void terminal_resize(int terminal, const struct frame *frame)
{
	uint64_t rows, columns;

	if (terminal < 0 || parse_number(record_find(frame, "rows"), &rows) != 0 ||
	    parse_number(record_find(frame, "columns"), &columns) != 0 || rows > UINT16_MAX || columns > UINT16_MAX)
		return;
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	ioctl(terminal, TIOCSWINSZ, &size);
}

/* Init has the terminal's master, twice: its input and its output end at different times. */
static int open_terminal(const struct frame *request, const struct user *user, struct program *program, int streams[3])
{
	int unlocked = 0;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	program->output = master;
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) != 0)
		return -1;
	streams[0] = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (streams[0] < 0)
		return -1;
	if (fchown(streams[0], user->uid, user->gid) != 0) {
		/* Then only /dev/tty does not open for that user. */
	}
	terminal_resize(master, request);
	program->input = fcntl(master, F_DUPFD_CLOEXEC, 0);
	streams[1] = fcntl(streams[0], F_DUPFD_CLOEXEC, 0);
	streams[2] = fcntl(streams[0], F_DUPFD_CLOEXEC, 0);
	return program->input < 0 || streams[1] < 0 || streams[2] < 0 ? -1 : 0;
}

static int open_nothing(int streams[3])
{
	for (int i = 0; i < 3; i++) {
		streams[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (streams[i] < 0)
			return -1;
	}
	return 0;
}

int streams_open(const struct frame *request, int terminal, const struct user *user, struct program *program, int streams[3])
{
	if (terminal)
		return open_terminal(request, user, program, streams);
	if (record_is_set(request, "detach"))
		return open_nothing(streams);
	if (!record_is_set(request, "stdin"))
		streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (stream_pipe(1, user, &program->input, &streams[0]) != 0)
		return -1;
	if (streams[0] < 0)
		return -1;
	if (stream_pipe(0, user, &program->output, &streams[1]) != 0)
		return -1;
	return stream_pipe(0, user, &program->error, &streams[2]);
}
