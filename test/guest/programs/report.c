// SPDX-License-Identifier: Apache-2.0
/* Prints how it was started: arguments, environment, directory, user, groups, open descriptors. */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	char directory[4096];
	gid_t groups[64];

	for (int i = 1; i < argc; i++)
		printf("arg %s\n", argv[i]);
	for (char **variable = environ; *variable; variable++)
		printf("env %s\n", *variable);
	printf("cwd %s\n", getcwd(directory, sizeof(directory)));
	printf("user %d:%d\n", (int)getuid(), (int)getgid());
	int count = getgroups(64, groups);
	for (int i = 0; i < count; i++)
		printf("group %d\n", (int)groups[i]);
	for (int fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("open %d\n", fd);
	int again = open("/dev/stdout", O_WRONLY);
	printf("/dev/stdout %s\n", again >= 0 ? "opens" : "does not open");
	printf("parent %d leader %d\n", (int)getppid(), getpid() == getpgrp());
	return 0;
}
