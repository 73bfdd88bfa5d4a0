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
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "streams.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the child needs, laid out before the fork. */
struct plan {
	const struct frame *request;
	program_body body; /* NULL: the arguments name a file */
	int terminal;
	char **arguments;
	char **environment;
	const char *path;
	const char *directory;
	struct user user;
	char home[sizeof("HOME=") + sizeof(((struct user *)0)->home)];
};

/* Why the last attempt to execute something failed. */
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

static int plan_lists(const struct frame *request, struct plan *plan, struct failure *failure)
{
	plan->arguments = list_of(request, "arg", 0);
	plan->environment = list_of(request, "env", 3);
	if (!plan->arguments || !plan->environment) {
		failure_set(failure, "exec", ENOMEM, 125, "no memory for the arguments");
		return -1;
	}
	if (!plan->arguments[0] || !*plan->arguments[0]) {
		failure_set(failure, "exec", EINVAL, 125, "the image names no program to run");
		return -1;
	}
	return 0;
}

static int plan_make(const struct frame *request, program_body body, struct plan *plan, struct failure *failure)
{
	const char *user = record_find(request, "user");

	*plan = (struct plan){ .request = request, .body = body, .directory = "/" };
	if (body)
		return 0;
	plan->terminal = record_is_set(request, "tty");
	if (user_lookup(user, &plan->user) != 0) {
		failure_set(failure, "user", EINVAL, 125, "the image has no such user or group: %s", user);
		return -1;
	}
	if (plan_lists(request, plan, failure) != 0)
		return -1;
	if (!variable(plan->environment, "PATH"))
		append(plan->environment, "PATH=" DEFAULT_PATH);
	if (!variable(plan->environment, "HOME")) {
		snprintf(plan->home, sizeof(plan->home), "HOME=%s", plan->user.home);
		append(plan->environment, plan->home);
	}
	if (plan->terminal && !variable(plan->environment, "TERM"))
		append(plan->environment, "TERM=xterm");
	plan->path = variable(plan->environment, "PATH");
	const char *directory = record_find(request, "cwd");
	if (directory && *directory)
		plan->directory = directory;
	return 0;
}

static void plan_free(struct plan *plan)
{
	free(plan->arguments);
	free(plan->environment);
	plan->arguments = plan->environment = NULL;
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

/*
 * A body of our own. Nothing closes by itself where nothing is executed: with all of init's descriptors goes the report,
 * which tells the parent that it runs, and the other end of its own input.
 */
__attribute__((noreturn)) static void run_body(const struct plan *plan)
{
	syscall(SYS_close_range, 3, ~0u, 0);
	_exit(plan->body(plan->request));
}

__attribute__((noreturn)) static void child(const struct plan *plan, const int streams[3], int report_to)
{
	struct report report = { 0 };
	struct failure failure;

	default_signals();
	default_limits();
	setsid();
	for (int i = 0; i < 3; i++)
		dup2(streams[i], i);
	if (plan->terminal)
		ioctl(0, TIOCSCTTY, 0);
	if (chdir(plan->directory) != 0)
		report.error = errno;
	report.in_directory = report.error != 0;
	if (plan->body)
		run_body(plan);
	if (!report.error)
		report.error = become_user(&plan->user);
	if (!report.error)
		execute_in_path(plan, &report);
	explain(plan, &report, &failure);
	if (write(report_to, &failure, sizeof(failure)) < 0)
		_exit(124);
	_exit(125);
}

static void close_all(int *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (descriptors[i] >= 0)
			close(descriptors[i]);
		descriptors[i] = -1;
	}
}

static void forget(struct program *program)
{
	int own[] = { program->input, program->output, program->error, program->report };

	close_all(own, 4);
	program->input = program->output = program->error = program->report = -1;
}

static int begin_planned(struct plan *plan, struct program *program, struct failure *failure)
{
	int report[2] = { -1, -1 }, streams[3] = { -1, -1, -1 };

	if (pipe2(report, O_CLOEXEC) != 0 || streams_open(plan->request, plan->terminal, &plan->user, program, streams) != 0) {
		failure_set(failure, "exec", errno, 125, "cannot make the standard streams: %s", strerror(errno));
		program->pid = -1;
	} else {
		program->pid = fork();
		if (program->pid == 0)
			child(plan, streams, report[1]);
		if (program->pid < 0)
			failure_set(failure, "exec", errno, 125, "cannot fork: %s", strerror(errno));
	}
	close_all(streams, 3);
	close_all(&report[1], 1);
	program->report = report[0];
	if (program->pid > 0)
		return 0;
	forget(program);
	return -1;
}

int program_begin(const struct frame *request, program_body body, struct program *program, struct failure *failure)
{
	static struct plan plan;
	int result = -1;

	*program = (struct program){ .pid = -1, .input = -1, .output = -1, .error = -1, .report = -1 };
	if (plan_make(request, body, &plan, failure) == 0)
		result = begin_planned(&plan, program, failure);
	plan_free(&plan);
	return result;
}

int program_outcome(struct program *program, struct failure *failure)
{
	struct failure said;
	/* The pipe closes when the program is executed, and carries the failure when it cannot be. */
	ssize_t got = read(program->report, &said, sizeof(said));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	close(program->report);
	program->report = -1;
	if (got != (ssize_t)sizeof(said))
		return 1;
	*failure = said;
	forget(program);
	return -1;
}

int program_start(const struct frame *start, struct program *program, struct failure *failure)
{
	int outcome;

	if (program_begin(start, NULL, program, failure) != 0)
		return -1;
	while ((outcome = program_outcome(program, failure)) == 0)
		;
	return outcome < 0 ? -1 : 0;
}
