/* SPDX-License-Identifier: Apache-2.0 */
/* Who the program runs as: the image's `User`, looked up in the image's /etc/passwd and /etc/group. */
#ifndef UK_USERS_H
#define UK_USERS_H

#include <stddef.h>
#include <sys/types.h>

#define USER_GROUPS_MAX 64

struct user {
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX]; /* supplementary */
	size_t group_count;
	char home[256];
};

/*
 * `text` is `name`, `uid`, `name:group` or `uid:gid`; NULL or empty means root. A number needs no entry in the files;
 * with a group given there are no supplementary groups (as container engines have it). 0, or -1 for a name that is
 * not there.
 */
int user_lookup(const char *text, struct user *user);

/* The same with other files; the tests' way in. */
int user_lookup_in(const char *text, const char *passwd, const char *group, struct user *user);

#endif
