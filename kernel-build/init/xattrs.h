/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_XATTRS_H
#define UK_XATTRS_H

/*
 * Copies the extended attributes of one file to another; links are not followed. What the other's file system does not
 * have is left out. 0, or -1 and errno.
 */
int xattrs_copy(const char *from, const char *to);

#endif
