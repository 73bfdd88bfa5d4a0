/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_POPULATE_H
#define UK_POPULATE_H

/*
 * Fills a volume that was just mounted with what the image has in that directory, where the volume is empty. Its root
 * gets the owner and the mode of the image's directory.
 *
 * image: the image's directory, opened before the volume covered it
 * volume: where the volume is mounted
 *
 * 0, or -1 and errno.
 */
int populate(int image, const char *volume);

#endif
