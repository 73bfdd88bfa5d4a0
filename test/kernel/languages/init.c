// SPDX-License-Identifier: Apache-2.0
/*
 * Process 1 of a guest with programs of this machine: runs the command that it is given, or all of /tests, one after the
 * other, and says how each ended.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void mount_at(const char *type, const char *folder)
{
	mkdir(folder, 0755);
	mount(type, folder, type, 0, NULL);
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int any = socket(AF_INET, SOCK_DGRAM, 0);

	if (any < 0 || ioctl(any, SIOCSIFFLAGS, &request) != 0)
		printf("FAIL no loopback\n");
	close(any);
}

static int is_program(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run(const char *name, char *const command[])
{
	char *const environment[] = { "PATH=/usr/bin", "HOME=/", "TERM=dumb", NULL };
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		execve(command[0], command, environment);
		perror(command[0]);
		_exit(127);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("FAIL %s: signal %d\n", name, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		printf("FAIL %s: exit status %d\n", name, WEXITSTATUS(status));
	else
		printf("ok %s ends\n", name);
}

static void run_all(void)
{
	struct dirent **programs;
	char path[512], *command[] = { path, NULL };
	int count = scandir("/tests", &programs, is_program, alphasort);

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/tests/%s", programs[i]->d_name);
		run(programs[i]->d_name, command);
	}
}

int main(int argc, char *argv[])
{

	mount_at("proc", "/proc");
	mount_at("devtmpfs", "/dev");
	mount_at("tmpfs", "/dev/shm");
	mount_at("tmpfs", "/tmp");
	bring_up_loopback();
	if (argc > 1)
		run(argv[1], argv + 1);
	else
		run_all();
	printf("end\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
