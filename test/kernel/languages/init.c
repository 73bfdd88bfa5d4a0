// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a guest with programs in many languages: runs all of /tests, one after the other, and says how each ended. */
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

static void run(const char *name)
{
	char *const environment[] = { "PATH=/usr/bin", "HOME=/", "TERM=dumb", NULL };
	char path[512];
	int status = -1;
	pid_t child;

	snprintf(path, sizeof(path), "/tests/%s", name);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		execle(path, path, (char *)NULL, environment);
		perror(path);
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

int main(void)
{
	struct dirent **programs;
	int count;

	mount_at("proc", "/proc");
	mount_at("devtmpfs", "/dev");
	mount_at("tmpfs", "/dev/shm");
	mount_at("tmpfs", "/tmp");
	bring_up_loopback();
	count = scandir("/tests", &programs, is_program, alphasort);
	for (int i = 0; i < count; i++)
		run(programs[i]->d_name);
	printf("end\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
