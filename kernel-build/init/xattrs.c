// SPDX-License-Identifier: Apache-2.0
#include "xattrs.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

int xattrs_copy(const char *from, const char *to)
{
	static char names[65536], value[65536];
	ssize_t length = llistxattr(from, names, sizeof(names));

	if (length < 0)
		return errno == ENOTSUP ? 0 : -1;
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		ssize_t size = lgetxattr(from, name, value, sizeof(value));

		/* One that is not for reading by name (such as of a security module) is not for copying. */
		if (size < 0 && (errno == ENODATA || errno == ENOTSUP))
			continue;
		if (size < 0 || (lsetxattr(to, name, value, (size_t)size, 0) != 0 && errno != ENOTSUP))
			return -1;
	}
	return 0;
}
