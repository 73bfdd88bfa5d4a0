// SPDX-License-Identifier: Apache-2.0
/*
 * libgcc's unwinder asks _dl_find_object() (glibc 2.35 and later) for the tables of an address. For the kernel's
 * entry it gets these; for all others the C library's function answers.
 *
 * From the entry's first instruction to where it leaves the program's stack, the program goes on at RCX and nothing
 * else of it has changed. Before that first instruction is the POP of who came by CALL.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#include "entry.h"

/* At most so many bytes of the entry are run on the program's stack. */
#define ENTRY_SIZE 32

/* As in glibc's dlfcn.h for x86-64; not taken from there, older ones have none. */
struct found_object {
	unsigned long long flags;
	void *begin, *end, *link_map, *header;
	unsigned long long reserved[7];
};

typedef int find_object(void *address, struct found_object *result);

extern void *dlsym(void *handle, const char *name) __attribute__((weak));

static struct tables {
	/* .eh_frame_hdr: no sorted table, the unwinder goes through .eh_frame */
	struct __attribute__((packed)) {
		uint8_t version, pointer_encoding, count_encoding, table_encoding;
		int32_t frame;
	} header;
	struct __attribute__((packed)) {
		uint32_t length, id;
		uint8_t version;
		char augmentation[4];
		uint8_t code_align, data_align, return_register, augmentation_length, encoding;
		uint8_t instructions[7];
	} cie;
	struct __attribute__((packed)) {
		uint32_t length, cie;
		uint64_t begin, size;
		uint8_t augmentation_length, instructions[11];
	} fde;
	uint32_t end;
} tables __attribute__((aligned(8))) = {
	.header = { 1, 0x1b /* pcrel, sdata4 */, 0xff, 0xff,
		    offsetof(struct tables, cie) - offsetof(struct tables, header.frame) },
	.cie = {
		.length = sizeof(tables.cie) - 4,
		.version = 1,
		.augmentation = "zRS",
		.code_align = 1,
		.data_align = 0x78 /* -8 */,
		.return_register = 16,
		.augmentation_length = 1,
		.encoding = 0 /* as it is */,
		/* def_cfa RSP+8; RIP at CFA-8; nop */
		.instructions = { 0x0c, 7, 8, 0x90, 1, 0, 0 },
	},
	.fde = {
		.length = sizeof(tables.fde) - 4,
		.cie = offsetof(struct tables, fde.cie) - offsetof(struct tables, cie),
		.size = ENTRY_SIZE,
		/* advance 1; def_cfa_offset 0; RIP in RCX; nop */
		.instructions = { 0x41, 0x0e, 0, 0x09, 16, 2, 0, 0, 0, 0, 0 },
	},
};

static find_object *next;

static find_object *next_finder(void)
{
	if (next == NULL && dlsym != NULL)
		next = (find_object *)dlsym(RTLD_NEXT, "_dl_find_object");
	return next;
}

__attribute__((visibility("default"))) int _dl_find_object(void *address, struct found_object *result)
{
	uintptr_t begin = tables.fde.begin;
	find_object *finder;

	if (begin != 0 && (uintptr_t)address - begin < ENTRY_SIZE) {
		*result = (struct found_object){
			.begin = (void *)begin,
			.end = (void *)(begin + ENTRY_SIZE),
			.header = &tables.header,
		};
		return 0;
	}
	finder = next_finder();
	return finder == NULL ? -1 : finder(address, result);
}

int describe_entry(uintptr_t entry)
{
	/* Without it the unwinder at hand asks somebody else. */
	if (next_finder() == NULL)
		return 0;
	/* From the POP on */
	tables.fde.begin = entry - 1;
	return 1;
}
