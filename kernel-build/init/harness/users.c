// SPDX-License-Identifier: Apache-2.0
/* The user lookup on the host, under the sanitizers: PASSWD GROUP TEXT… prints who each text is. */
#include <stdio.h>

#include "../users.h"

int main(int argc, char **argv)
{
	for (int i = 3; i < argc; i++) {
		struct user user;

		if (user_lookup_in(argv[i], argv[1], argv[2], &user) != 0) {
			printf("none\n");
			continue;
		}
		printf("%u:%u %s", user.uid, user.gid, user.home);
		for (size_t group = 0; group < user.group_count; group++)
			printf(" %u", user.groups[group]);
		printf("\n");
	}
	return 0;
}
