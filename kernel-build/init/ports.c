// SPDX-License-Identifier: Apache-2.0
#include "ports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define CLASS "/sys/class/virtio-ports"
#define PORTS_TIMEOUT_MS 10000
#define PAUSE_US 300

static void pause_briefly(void)
{
	struct timespec pause = { .tv_sec = 0, .tv_nsec = PAUSE_US * 1000L };

	nanosleep(&pause, NULL);
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/* The port's name, without the line feed that sysfs ends it with; empty where it has none (yet). */
static void port_name(const char *device, char *name, size_t size)
{
	char path[300];
	ssize_t length = 0;

	snprintf(path, sizeof(path), CLASS "/%s/name", device);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, name, size - 1);
		close(fd);
	}
	if (length < 0)
		length = 0;
	if (length > 0 && name[length - 1] == '\n')
		length--;
	name[length] = 0;
}

static int *slot_of(struct ports *ports, const char *name)
{
	if (strcmp(name, "uk.control") == 0)
		return &ports->control;
	if (strcmp(name, "uk.stdin") == 0)
		return &ports->input;
	if (strcmp(name, "uk.stdout") == 0)
		return &ports->output;
	if (strcmp(name, "uk.stderr") == 0)
		return &ports->error;
	if (strcmp(name, "uk.agent") == 0)
		return &ports->agent;
	return NULL;
}

/* Opens what has appeared since the last look. The driver adds ports, and their names, one message after the other. */
static void look(struct ports *ports)
{
	DIR *class = opendir(CLASS);
	struct dirent *entry;

	if (!class)
		return;
	while ((entry = readdir(class))) {
		char name[32], path[300];

		if (entry->d_name[0] == '.')
			continue;
		port_name(entry->d_name, name, sizeof(name));
		int *slot = slot_of(ports, name);
		if (!slot || *slot >= 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		*slot = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	closedir(class);
}

int port_host_connected(int fd)
{
	struct pollfd port = { .fd = fd };

	return poll(&port, 1, 0) >= 0 && !(port.revents & POLLHUP);
}

static int all_open(const struct ports *ports)
{
	return ports->control >= 0 && ports->input >= 0 && ports->output >= 0 && ports->error >= 0;
}

static int all_connected(const struct ports *ports)
{
	return port_host_connected(ports->control) && port_host_connected(ports->input) && port_host_connected(ports->output) &&
	       port_host_connected(ports->error);
}

void ports_open(struct ports *ports)
{
	long limit = milliseconds() + PORTS_TIMEOUT_MS;

	*ports = (struct ports){ -1, -1, -1, -1, -1 };
	for (;;) {
		if (!all_open(ports))
			look(ports);
		if (all_open(ports) && all_connected(ports))
			return;
		if (milliseconds() > limit)
			die("the ports uk.control, uk.stdin, uk.stdout, uk.stderr are not all there and connected");
		pause_briefly();
	}
}

int ports_find_agent(struct ports *ports)
{
	if (ports->agent < 0)
		look(ports);
	return ports->agent >= 0 && port_host_connected(ports->agent);
}

int port_write_all(int fd, const void *bytes, size_t length)
{
	const char *from = bytes;

	while (length) {
		ssize_t written = write(fd, from, length);
		if (written > 0) {
			from += written;
			length -= (size_t)written;
			continue;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == ENOMEM) {
			pause_briefly();
			continue;
		}
		if (written < 0 && errno != EAGAIN)
			return -1;

		struct pollfd port = { .fd = fd, .events = POLLOUT };
		poll(&port, 1, -1);
		if (port.revents & POLLHUP)
			return -1;
	}
	return 0;
}
