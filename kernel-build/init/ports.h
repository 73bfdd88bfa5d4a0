/* SPDX-License-Identifier: Apache-2.0 */
/* The named ports of the virtio-serial device (docs/guest-contract.md, "Ports"). */
#ifndef UK_PORTS_H
#define UK_PORTS_H

#include <stddef.h>

struct ports {
	int control;
	int input;
	int output;
	int error;
	int agent; /* -1 where the node has none, or the driver has not added it yet */
};

/*
 * Waits until the four ports are there and the host is connected to each, and opens them (non-blocking, close on
 * exec). Dies where that takes longer than PORTS_TIMEOUT_MS.
 */
void ports_open(struct ports *ports);

/* Looks again for the agent's port, which nobody waits for. 1: it is there and the host is connected. */
int ports_find_agent(struct ports *ports);

/* The driver reports POLLHUP for as long as no host is connected. */
int port_host_connected(int fd);

/* Writes all of it, waiting where the port is full. -1 where the host has gone. */
int port_write_all(int fd, const void *bytes, size_t length);

#endif
