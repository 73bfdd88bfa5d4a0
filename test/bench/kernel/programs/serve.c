// SPDX-License-Identifier: Apache-2.0
/*
 * A guest's /init: starts a server, waits until it accepts connections on loopback, lets a client ask it, ends the
 * machine. /job says what: the port, the server's command, the client's command, a line each.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS 32
#define TRIES 3000

static void end(const char *problem)
{
	printf("problem: %s\n", problem);
	fflush(stdout);
	reboot(RB_AUTOBOOT);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int any = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(any, SIOCSIFFLAGS, &request) != 0)
		end("loopback does not come up");
	close(any);
}

static pid_t start(char *line, int quiet)
{
	static char *const environment[] = { "PATH=/bin", NULL };
	char *words[WORDS] = { strtok(line, " \n") };
	pid_t child;

	for (int i = 1; i < WORDS - 1 && words[i - 1] != NULL; i++)
		words[i] = strtok(NULL, " \n");
	child = fork();
	if (child != 0)
		return child;
	if (quiet) {
		int log = open("/server.log", O_WRONLY | O_CREAT, 0644);

		dup2(log, 1);
		dup2(log, 2);
	}
	execve(words[0], words, environment);
	perror(words[0]);
	_exit(127);
}

static void show_log(void)
{
	char text[2000];
	int log = open("/server.log", O_RDONLY);
	long length = log < 0 ? 0 : read(log, text, sizeof(text));

	if (length > 0)
		fwrite(text, 1, length, stdout);
}

static void wait_for(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timespec pause = { 0, 10000000 };

	for (int i = 0; i < TRIES; i++) {
		int connection = socket(AF_INET, SOCK_STREAM, 0);
		int connected = connect(connection, (struct sockaddr *)&address, sizeof(address));

		close(connection);
		if (connected == 0)
			return;
		if (waitpid(-1, NULL, WNOHANG) > 0)
			break;
		nanosleep(&pause, NULL);
	}
	show_log();
	end("the server does not listen");
}

int main(void)
{
	char port[16], server[512], client[512];
	FILE *job = fopen("/job", "r");
	int status = -1;
	pid_t asks;

	if (job == NULL || fgets(port, sizeof(port), job) == NULL || fgets(server, sizeof(server), job) == NULL ||
	    fgets(client, sizeof(client), job) == NULL)
		end("no job");
	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	loopback_up();
	start(server, 1);
	wait_for(atoi(port));
	asks = start(client, 0);
	while (wait(&status) != asks)
		;
	if (status != 0) {
		show_log();
		end("the client failed");
	}
	puts("done: 1");
	fflush(stdout);
	reboot(RB_AUTOBOOT);
	return 1;
}
