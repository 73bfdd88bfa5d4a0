/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_MOUNTS_H
#define UK_MOUNTS_H

/* /proc, /sys and /dev: what init itself needs. What the kernel was built without is left out. */
void mounts_early(void);

/* The rest of what a program may expect: /dev/pts, /dev/shm, /dev/mqueue, /dev/fd and its kin, /tmp, /run. */
void mounts_for_program(void);

#endif
