/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_PATHS_H
#define UK_PATHS_H

/* Makes a directory and those that lead to it, as `mkdir -p` does. What is wrong shows when the path is used. */
void path_make(const char *path);

#endif
