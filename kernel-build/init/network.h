/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_NETWORK_H
#define UK_NETWORK_H

#include "frames.h"

/* Brings `lo` up; a kernel without networking is none of init's business. */
void network_loopback(void);

/*
 * Gives eth0 the address of START's `net-address` (`10.0.2.15/24`) and the route of `net-gateway`; does nothing where
 * there is no `net-address`. 0 or an errno.
 */
int network_configure(const struct frame *start);

#endif
