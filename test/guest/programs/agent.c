// SPDX-License-Identifier: Apache-2.0
/*
 * What tests of the agent run in a guest: `wait` (never ends), `echo ARG…`, `cat`, `exit N`, `env`, `where`, `terminal`,
 * `fill N` (N bytes), `count` (bytes of the input), `background` (leaves a child that holds the output).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

extern char **environ;

static char block[65536];

static int copy(int count_only)
{
	long long total = 0;
	ssize_t got;

	while ((got = read(0, block, sizeof(block))) > 0) {
		total += got;
		if (!count_only && write(1, block, (size_t)got) != got)
			return 1;
	}
	if (count_only)
		printf("%lld\n", total);
	return 0;
}

static int fill(long long left)
{
	memset(block, 'f', sizeof(block));
	while (left > 0) {
		ssize_t put = write(1, block, left < (long long)sizeof(block) ? (size_t)left : sizeof(block));
		if (put < 0)
			return 1;
		left -= put;
	}
	return 0;
}

static int terminal(void)
{
	struct winsize size = { 0 };
	char line[100] = "";

	if (!isatty(0) || ioctl(0, TIOCGWINSZ, &size) != 0)
		return 1;
	printf("%s %d %d\n", ttyname(0), size.ws_row, size.ws_col);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) ? printf("got %s", line) < 0 : 3;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "wait";

	if (strcmp(what, "echo") == 0) {
		for (int i = 2; i < argc; i++)
			printf("<%s>", argv[i]);
		fprintf(stderr, "error\n");
	} else if (strcmp(what, "exit") == 0)
		return atoi(argv[2]);
	else if (strcmp(what, "cat") == 0 || strcmp(what, "count") == 0)
		return copy(what[1] == 'o');
	else if (strcmp(what, "fill") == 0)
		return fill(atoll(argv[2]));
	else if (strcmp(what, "env") == 0)
		for (char **one = environ; *one; one++)
			puts(*one);
	else if (strcmp(what, "where") == 0)
		printf("%s %d:%d parent %d\n", getcwd(block, sizeof(block)), getuid(), getgid(), getppid());
	else if (strcmp(what, "terminal") == 0)
		return terminal();
	else if (strcmp(what, "background") == 0) {
		if (fork() == 0)
			sleep(1000);
		puts("left");
	} else
		for (;;)
			pause();
	return 0;
}
