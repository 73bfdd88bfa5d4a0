// SPDX-License-Identifier: Apache-2.0
#include "paths.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void path_make(const char *path)
{
	char copy[4096];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return;
	for (char *at = copy + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = 0;
		mkdir(copy, 0755);
	}
	mkdir(copy, 0755);
}
