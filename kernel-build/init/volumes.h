/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that START asks for beside the root: docs/guest-contract.md, "Mounts". */
#ifndef UK_VOLUMES_H
#define UK_VOLUMES_H

#include "failure.h"
#include "frames.h"

/* Mounts them in the order of START. 0, or -1 and `failure` says why. */
int volumes_mount(const struct frame *start, struct failure *failure);

/* Takes them away again, so that each is whole on the host. One that cannot be unmounted is made read-only. */
void volumes_unmount(void);

#endif
