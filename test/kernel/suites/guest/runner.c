// SPDX-License-Identifier: Apache-2.0
// Runs the tests of /suites/plan one after the other and tells the host, through a virtio port, what they wrote and how
// they ended. A line of the plan: name, seconds, folder, command for the shell; tabs between them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT "/dev/vport0p1"
// What one test may write; a test that fails in a loop must not fill the host's disk.
#define MOST_OUTPUT (512 << 10)
#define REAP_SECONDS 10

static int port;

static long long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void send_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = write(port, bytes, length);

		if (sent < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (sent > 0) {
			bytes += sent;
			length -= sent;
		}
	}
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char line[512];
	va_list values;

	va_start(values, format);
	vsnprintf(line, sizeof(line), format, values);
	va_end(values);
	send_all(line, strlen(line));
}

// In the kernel's log too, so that one sees in it which test was running.
static void mark(const char *name)
{
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (log >= 0) {
		dprintf(log, "<4>uk-suites: %s\n", name);
		close(log);
	}
}

static pid_t start(const char *folder, const char *command, int output)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	dup2(null, 0);
	dup2(output, 1);
	dup2(output, 2);
	if (chdir(folder) != 0) {
		perror(folder);
		_exit(127);
	}
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

// Whatever the test has left behind. Returns how many processes do not end.
static int end_all(void)
{
	long long until = milliseconds() + REAP_SECONDS * 1000;

	for (;;) {
		pid_t pid;

		kill(-1, SIGKILL);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0)
			return 0;
		if (milliseconds() > until)
			return 1;
		usleep(10000);
	}
}

static size_t pass_on(int from, size_t room)
{
	char bytes[16384];
	ssize_t length;
	size_t sent = 0;

	while ((length = read(from, bytes, sizeof(bytes))) > 0) {
		size_t part = (size_t)length < room - sent ? (size_t)length : room - sent;

		send_all(bytes, part);
		sent += part;
	}
	return sent;
}

// Returns 0 if something of the test is still there.
static int run(const char *name, int seconds, const char *folder, const char *command, int children)
{
	int pipe_ends[2], status = 0, ended = 0, timed_out = 0;
	long long began = milliseconds(), until = began + seconds * 1000LL;
	size_t room = MOST_OUTPUT;
	struct signalfd_siginfo drained;

	mark(name);
	tell("\n@begin %s\n", name);
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return 1;
	// The test has a pipe as others have.
	int blocking = fcntl(pipe_ends[1], F_GETFL) & ~O_NONBLOCK;

	fcntl(pipe_ends[1], F_SETFL, blocking);
	pid_t test = start(folder, command, pipe_ends[1]);

	close(pipe_ends[1]);
	struct pollfd wait[2] = {{.fd = children, .events = POLLIN}, {.fd = pipe_ends[0], .events = POLLIN}};

	while (!ended) {
		long long left = until - milliseconds();

		if (left <= 0) {
			timed_out = 1;
			break;
		}
		poll(wait, 2, left > 1000 ? 1000 : left);
		room -= pass_on(pipe_ends[0], room);
		// All processes of the test may have closed it, and poll would tell that for ever.
		if (wait[1].revents & (POLLHUP | POLLERR))
			wait[1].fd = -1;
		while (read(children, &drained, sizeof(drained)) > 0)
			;
		int other;
		pid_t pid;

		while ((pid = waitpid(-1, &other, WNOHANG)) > 0)
			if (pid == test) {
				status = other;
				ended = 1;
			}
	}
	room -= pass_on(pipe_ends[0], room);
	long long took = milliseconds() - began;
	int left = end_all();

	close(pipe_ends[0]);
	if (timed_out)
		tell("\n@end timeout %d", seconds);
	else if (WIFSIGNALED(status))
		tell("\n@end signal %d", WTERMSIG(status));
	else
		tell("\n@end exit %d", WEXITSTATUS(status));
	tell(" ms %lld%s\n", took, left ? " stuck" : "");
	return !left;
}

int main(void)
{
	char line[4096];
	sigset_t child;
	FILE *plan = fopen("/suites/plan", "re");

	port = open(PORT, O_WRONLY | O_CLOEXEC);
	if (port < 0 || plan == NULL)
		perror("runner: " PORT " or the plan");
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	int children = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);

	while (plan != NULL && fgets(line, sizeof(line), plan) != NULL) {
		char *rest = line, *name = strsep(&rest, "\t"), *seconds = strsep(&rest, "\t");
		char *folder = strsep(&rest, "\t"), *command = strsep(&rest, "\n");

		// What is stuck would be counted against the tests after it: the host starts another guest for these.
		if (command != NULL && !run(name, atoi(seconds), folder, command, children)) {
			reboot(RB_AUTOBOOT);
			return 1;
		}
	}
	mark("end");
	sync();
	if (umount("/disk") != 0 && errno != EINVAL && errno != ENOENT)
		tell("\n@trouble umount /disk: %s\n", strerror(errno));
	tell("\n@done\n");
	reboot(RB_AUTOBOOT);
	return 1;
}
