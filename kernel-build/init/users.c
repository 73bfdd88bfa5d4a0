// SPDX-License-Identifier: Apache-2.0
#include "users.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "frames.h"

#define FIELDS 7

struct entry {
	char line[4096];
	char *fields[FIELDS];
	size_t count;
};

/* The next line of passwd(5) or group(5), cut at its colons. Comments and lines that are too short are passed over. */
static int entry_next(FILE *file, size_t needed, struct entry *entry)
{
	while (fgets(entry->line, sizeof(entry->line), file)) {
		char *at = entry->line;

		at[strcspn(at, "\n")] = 0;
		for (entry->count = 0; at && entry->count < FIELDS; entry->count++)
			entry->fields[entry->count] = strsep(&at, ":");
		if (entry->count >= needed && entry->fields[0][0] && entry->fields[0][0] != '#')
			return 1;
	}
	return 0;
}

static int parse_id(const char *text, unsigned int *id)
{
	uint64_t number;

	/* The highest value means "leave as it is" to the kernel: never an identifier. */
	if (parse_number(text, &number) != 0 || number >= UINT32_MAX)
		return -1;
	*id = (unsigned int)number;
	return 0;
}

/* Finds the account by its name, else by its number. 1: found; `name` is its name. */
static int account_find(const char *wanted, const char *passwd, struct user *user, char *name, size_t size)
{
	struct entry entry;
	uid_t number, uid;
	gid_t gid;
	int is_number = parse_id(wanted, &number) == 0;
	int found = 0;
	FILE *file = fopen(passwd, "re");

	if (!file)
		return 0;
	while (entry_next(file, 4, &entry)) {
		if (parse_id(entry.fields[2], &uid) != 0 || parse_id(entry.fields[3], &gid) != 0)
			continue;
		int by_name = strcmp(entry.fields[0], wanted) == 0;
		if (!by_name && (found || !is_number || uid != number))
			continue;
		found = 1;
		user->uid = uid;
		user->gid = gid;
		snprintf(name, size, "%s", entry.fields[0]);
		snprintf(user->home, sizeof(user->home), "%s", entry.count > 5 && *entry.fields[5] ? entry.fields[5] : "/");
		if (by_name)
			break;
	}
	fclose(file);
	return found;
}

static int group_find(const char *wanted, const char *group, gid_t *gid)
{
	struct entry entry;
	int found = 0;
	FILE *file = fopen(group, "re");

	while (file && !found && entry_next(file, 3, &entry))
		found = strcmp(entry.fields[0], wanted) == 0 && parse_id(entry.fields[2], gid) == 0;
	if (file)
		fclose(file);
	return found || parse_id(wanted, gid) == 0;
}

static int is_member(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ",")))
		if (strcmp(member, name) == 0)
			return 1;
	return 0;
}

static void groups_of(const char *name, const char *group, struct user *user)
{
	struct entry entry;
	gid_t gid;
	FILE *file = fopen(group, "re");

	if (!file)
		return;
	while (user->group_count < USER_GROUPS_MAX && entry_next(file, 4, &entry)) {
		if (is_member(entry.fields[3], name) && parse_id(entry.fields[2], &gid) == 0)
			user->groups[user->group_count++] = gid;
	}
	fclose(file);
}

int user_lookup_in(const char *text, const char *passwd, const char *group, struct user *user)
{
	char wanted[256];
	char name[256] = "";

	memset(user, 0, sizeof(*user));
	snprintf(user->home, sizeof(user->home), "/");
	if (!text)
		text = "";
	if (strlen(text) >= sizeof(wanted))
		return -1;
	snprintf(wanted, sizeof(wanted), "%s", text);

	char *wanted_group = strchr(wanted, ':');
	if (wanted_group)
		*wanted_group++ = 0;

	const char *account = *wanted ? wanted : "0";
	if (!account_find(account, passwd, user, name, sizeof(name)) && parse_id(account, &user->uid) != 0)
		return -1;
	if (user->uid == 0 && !*name)
		snprintf(user->home, sizeof(user->home), "/root");
	if (wanted_group && *wanted_group)
		return group_find(wanted_group, group, &user->gid) ? 0 : -1;
	if (*name)
		groups_of(name, group, user);
	return 0;
}

int user_lookup(const char *text, struct user *user)
{
	return user_lookup_in(text, "/etc/passwd", "/etc/group", user);
}
