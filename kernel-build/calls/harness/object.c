// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "object.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

struct search {
	const char *name;
	struct object *object;
};

static int look(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct search *search = argument;
	struct object *object = search->object;
	int found = 0;

	(void)size;
	if (strcmp(info->dlpi_name, search->name) != 0)
		return 0;
	object->base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uint8_t *at = (uint8_t *)(info->dlpi_addr + part->p_vaddr);

		if (part->p_type == PT_GNU_EH_FRAME)
			found = functions_open(&object->functions, at);
		if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
			object->text = at;
			object->size = part->p_memsz;
		}
	}
	return found ? 1 : -1;
}

int object_open(struct object *object, const char *path)
{
	struct search search = { .object = object };
	struct link_map *map;
	void *handle = dlopen(path, RTLD_LAZY);

	*object = (struct object){ 0 };
	if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
		fprintf(stderr, "%s\n", dlerror());
		return 0;
	}
	search.name = map->l_name;
	if (dl_iterate_phdr(look, &search) == 1 && object->text != NULL)
		return 1;
	fprintf(stderr, "%s: no unwinding tables, or no text\n", path);
	return 0;
}
