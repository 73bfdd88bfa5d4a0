/* SPDX-License-Identifier: Apache-2.0 */
/* How long an instruction is, and what of it matters to who wants to replace it. */
#ifndef LENGTH_H
#define LENGTH_H

#include <stddef.h>
#include <stdint.h>

struct instruction {
	unsigned int length;
	/* May go on at one of the addresses that a table in memory or a register holds. */
	unsigned int indirect_jump : 1;
	/* May go on at `target`; a call does, too. */
	unsigned int direct_jump : 1;
	unsigned int call : 1;
	const uint8_t *target;
};

/*
 * Decodes the instruction at `at`, of which `room` bytes may be read. False if it is none in 64-bit mode, or one that
 * this decoder does not know.
 */
int decode(const uint8_t *at, size_t room, struct instruction *instruction);

#endif
