// SPDX-License-Identifier: Apache-2.0
/* Prints what is at each of the given paths: type, mode, owner, links, and a symlink's target or a file's start. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat found;
		char text[256] = "";

		if (lstat(argv[i], &found) != 0) {
			printf("%s missing\n", argv[i]);
			continue;
		}
		printf("%s %06o %d:%d %d", argv[i], found.st_mode, found.st_uid, found.st_gid, (int)found.st_nlink);
		if (S_ISLNK(found.st_mode) && readlink(argv[i], text, sizeof(text) - 1) > 0)
			printf(" -> %s", text);
		if (S_ISREG(found.st_mode)) {
			int fd = open(argv[i], O_RDONLY);
			if (read(fd, text, sizeof(text) - 1) > 0)
				printf(" = %.40s", text);
			close(fd);
		}
		if (S_ISCHR(found.st_mode))
			printf(" %u,%u", major(found.st_rdev), minor(found.st_rdev));
		printf("\n");
	}
	return 0;
}
