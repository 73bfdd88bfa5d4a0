/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the guest as a tar archive (POSIX.1-2001: ustar headers, and pax headers for what does not fit into them). */
#ifndef UK_ARCHIVE_H
#define UK_ARCHIVE_H

#include "frames.h"

/*
 * Writes what `arg` names to the standard output, as an archive whose names begin with the last part of that path; the
 * names of a path that ends with `/.` begin with `.`. With `follow` a link is replaced by what it leads to. What cannot
 * be read is named on the standard error and left out; the status is then 1.
 */
int archive_pack(const struct frame *request);

/* Unpacks the archive on the standard input into the directory `arg`. What goes wrong ends it, with the status 1. */
int archive_unpack(const struct frame *request);

#endif
