/* SPDX-License-Identifier: Apache-2.0 */
/* Where the functions of a loaded object begin and end, as its unwinding tables (.eh_frame) tell. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

struct functions {
	const uint8_t *header;	 /* .eh_frame_hdr */
	/* Pairs of 32-bit numbers, both relative to the header: begin, FDE; sorted by begin */
	const uint8_t *table;
	size_t count;
};

struct range {
	const uint8_t *begin, *end;
};

/* False if the header is not of the one form that linkers write. */
int functions_open(struct functions *functions, const uint8_t *header);

/* The range of the entry with this number; false if its FDE is of a form that is not known here. */
int functions_range(const struct functions *functions, size_t number, struct range *range);

/* The function that holds an address; false if none is known to. */
int functions_find(const struct functions *functions, const uint8_t *address, struct range *range);

#endif
