// SPDX-License-Identifier: Apache-2.0
#include "disks.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* linux/virtio_blk.h, VIRTIO_BLK_ID_BYTES. */
#define SERIAL_MAX 20

static int has_serial(const char *name, const char *serial)
{
	char path[288], text[SERIAL_MAX + 2] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/%s/serial", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return strcmp(text, serial) == 0;
}

int disk_find(const char *serial, char *device, size_t size)
{
	DIR *disks = opendir("/sys/block");
	struct dirent *entry;
	int found = -1;

	while (disks && found != 0 && (entry = readdir(disks))) {
		if (entry->d_name[0] == '.' || !has_serial(entry->d_name, serial))
			continue;
		snprintf(device, size, "/dev/%.32s", entry->d_name);
		found = 0;
	}
	if (disks)
		closedir(disks);
	return found;
}
