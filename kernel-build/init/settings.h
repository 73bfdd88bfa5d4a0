/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_SETTINGS_H
#define UK_SETTINGS_H

#include "frames.h"

/* START's `time`: sets the wall clock. */
void settings_clock(const struct frame *start);

/* START's `seed`: credits the bytes to the kernel's random generator. */
void settings_seed(const struct frame *start);

/* START's `hostname` and `net-dns`: the kernel's name, /etc/hostname, /etc/hosts, /etc/resolv.conf. */
void settings_names(const struct frame *start);

#endif
