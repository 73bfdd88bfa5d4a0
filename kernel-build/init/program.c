// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the child needs, laid out before the fork. */
struct plan {
	char **arguments;
	char **environment;
	const char *path;
	const char *directory;
	struct user user;
	char home[sizeof("HOME=") + sizeof(((struct user *)0)->home)];
};

/* What a child that could not become the program tells its parent. */
struct report {
	int in_directory; /* else: in exec */
	int error;
	int found; /* the file is there, but something that it needs is not */
};

/* The values of all records of that key as a NULL-terminated list with room for `extra` more. */
static char **list_of(const struct frame *start, const char *key, size_t extra)
{
	char **list = calloc(record_count(start, key) + extra + 1, sizeof(*list));
	struct record record;
	size_t cursor = 0, count = 0;

	while (list && record_next(start, &cursor, &record) == 1)
		if (record_is(&record, key))
			list[count++] = (char *)record.value;
	return list;
}

/* The last one of that name counts, as in a shell's own environment. */
static const char *variable(char **environment, const char *name)
{
	size_t length = strlen(name);
	const char *value = NULL;

	for (; *environment; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			value = *environment + length + 1;
	return value;
}

static void append(char **list, char *text)
{
	while (*list)
		list++;
	*list = text;
}

static int plan_make(const struct frame *start, struct plan *plan, struct failure *failure)
{
	const char *user = record_find(start, "user");

	if (user_lookup(user, &plan->user) != 0) {
		failure_set(failure, "user", EINVAL, 125, "the image has no such user or group: %s", user);
		return -1;
	}
	plan->arguments = list_of(start, "arg", 0);
	plan->environment = list_of(start, "env", 2);
	if (!plan->arguments || !plan->environment) {
		failure_set(failure, "exec", ENOMEM, 125, "no memory for the arguments");
		return -1;
	}
	if (!plan->arguments[0] || !*plan->arguments[0]) {
		failure_set(failure, "exec", EINVAL, 125, "the image names no program to run");
		return -1;
	}
	if (!variable(plan->environment, "PATH"))
		append(plan->environment, "PATH=" DEFAULT_PATH);
	if (!variable(plan->environment, "HOME")) {
		snprintf(plan->home, sizeof(plan->home), "HOME=%s", plan->user.home);
		append(plan->environment, plan->home);
	}
	plan->path = variable(plan->environment, "PATH");
	plan->directory = record_find(start, "cwd");
	if (!plan->directory || !*plan->directory)
		plan->directory = "/";
	return 0;
}

/* Returns only on failure. */
static void execute(const struct plan *plan, const char *file, struct report *report)
{
	execve(file, plan->arguments, plan->environment);

	int error = errno;
	int missing = error == ENOENT || error == ENOTDIR;
	if (missing && access(file, F_OK) == 0)
		report->found = 1;
	/* A file that was found but may not be run says more than one that was not found elsewhere. */
	if (!missing || report->found || report->error == 0)
		report->error = error;
}

static void execute_in_path(const struct plan *plan, struct report *report)
{
	const char *name = plan->arguments[0];
	const char *directory = plan->path;
	char file[4096];

	if (strchr(name, '/')) {
		execute(plan, name, report);
		return;
	}
	for (;;) {
		size_t length = strcspn(directory, ":");
		int size = length ? snprintf(file, sizeof(file), "%.*s/%s", (int)length, directory, name)
				  : snprintf(file, sizeof(file), "./%s", name);
		if (size < (int)sizeof(file))
			execute(plan, file, report);
		if (report->found || !directory[length])
			return;
		directory += length + 1;
	}
}

static void default_signals(void)
{
	sigset_t none;

	for (int number = 1; number < _NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* systemd's choice: programs that use select() are safe, those that need more raise their own limit. */
static void default_limits(void)
{
	struct rlimit files = { .rlim_cur = 1024, .rlim_max = 524288 };

	setrlimit(RLIMIT_NOFILE, &files);
}

static int become_user(const struct user *user)
{
	if (setgroups(user->group_count, user->groups) != 0 && errno != ENOSYS)
		return errno;
	if (setresgid(user->gid, user->gid, user->gid) != 0 && errno != ENOSYS)
		return errno;
	if (setresuid(user->uid, user->uid, user->uid) != 0 && errno != ENOSYS)
		return errno;
	return 0;
}

__attribute__((noreturn)) static void child(const struct plan *plan, const int streams[3], int report_to)
{
	struct report report = { 0 };

	default_signals();
	default_limits();
	setsid();
	for (int i = 0; i < 3; i++)
		dup2(streams[i], i);
	if (chdir(plan->directory) != 0)
		report.error = errno;
	report.in_directory = report.error != 0;
	if (!report.error)
		report.error = become_user(&plan->user);
	if (!report.error)
		execute_in_path(plan, &report);
	if (write(report_to, &report, sizeof(report)) < 0)
		_exit(124);
	_exit(125);
}

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

static int open_streams(int empty_input, const struct user *user, struct program *program, int streams[3])
{
	program->input = -1;
	if (empty_input)
		streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (stream_pipe(1, user, &program->input, &streams[0]) != 0)
		return -1;
	if (streams[0] < 0)
		return -1;
	if (stream_pipe(0, user, &program->output, &streams[1]) != 0)
		return -1;
	return stream_pipe(0, user, &program->error, &streams[2]);
}

static void explain(const struct plan *plan, const struct report *report, struct failure *failure)
{
	const char *name = plan->arguments[0];
	int missing = report->error == ENOENT || report->error == ENOTDIR;

	if (report->in_directory)
		failure_set(failure, "cwd", report->error, 125, "cannot enter %s: %s", plan->directory,
			    strerror(report->error));
	else if (report->found)
		failure_set(failure, "exec", report->error, 127, "%s is in the image, but not the interpreter or loader it names",
			    name);
	else if (missing && !strchr(name, '/'))
		failure_set(failure, "exec", report->error, 127, "%s: not found in PATH (%s)", name, plan->path);
	else
		failure_set(failure, "exec", report->error, missing ? 127 : 126, "%s: %s", name, strerror(report->error));
}

int program_start(const struct frame *start, struct program *program, struct failure *failure)
{
	static struct plan plan;
	const char *input = record_find(start, "stdin");
	struct report report;
	int report_pipe[2], streams[3];

	if (plan_make(start, &plan, failure) != 0)
		return -1;
	if (pipe2(report_pipe, O_CLOEXEC) != 0 ||
	    open_streams(!input || strcmp(input, "1") != 0, &plan.user, program, streams) != 0) {
		failure_set(failure, "exec", errno, 125, "cannot make the standard streams: %s", strerror(errno));
		return -1;
	}
	program->pid = fork();
	if (program->pid < 0) {
		failure_set(failure, "exec", errno, 125, "cannot fork: %s", strerror(errno));
		return -1;
	}
	if (program->pid == 0)
		child(&plan, streams, report_pipe[1]);

	close(report_pipe[1]);
	for (int i = 0; i < 3; i++)
		close(streams[i]);
	/* The pipe closes when the program is executed, and carries a report when it cannot be. */
	ssize_t got;
	while ((got = read(report_pipe[0], &report, sizeof(report))) < 0 && errno == EINTR)
		;
	close(report_pipe[0]);
	if (got != (ssize_t)sizeof(report))
		return 0;
	explain(&plan, &report, failure);
	return -1;
}
