/* SPDX-License-Identifier: Apache-2.0 */
/* The root that the program gets: docs/guest-contract.md, "Root". */
#ifndef UK_ROOT_H
#define UK_ROOT_H

#include "failure.h"
#include "frames.h"

/*
 * Makes the root that START asks for the root of this process, with /proc, /sys and /dev in it. The initramfs is the
 * root already. 0, or -1 and `failure` says why.
 */
int root_enter(const struct frame *start, struct failure *failure);

/* Where START says `read-only`: what programs write to even then, /run, /tmp and /var/tmp, becomes a tmpfs each. */
int root_scratch(const struct frame *start, struct failure *failure);

/* Where START says `read-only`: the root takes no more writes. Comes last. */
int root_protect(const struct frame *start, struct failure *failure);

#endif
