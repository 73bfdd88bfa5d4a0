// SPDX-License-Identifier: Apache-2.0
/* Filling a volume, on the host, under the sanitizers: IMAGE VOLUME, two folders. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../populate.h"

int main(int argc, char **argv)
{
	int image = open(argc > 2 ? argv[1] : "", O_RDONLY | O_DIRECTORY);

	if (image < 0 || populate(image, argv[2]) != 0) {
		printf("%s\n", strerror(errno));
		return 1;
	}
	return 0;
}
