/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_DISKS_H
#define UK_DISKS_H

#include <stddef.h>

/*
 * The device file of the virtio disk with that serial: the order of disks differs between monitors, the serial is what
 * the node gave. 0, or -1 where there is none.
 */
int disk_find(const char *serial, char *device, size_t size);

#endif
