/* SPDX-License-Identifier: Apache-2.0 */
/* Places in a library where a system call with a constant number is made, and the proof that they can be replaced. */
#ifndef SITES_H
#define SITES_H

#include <stddef.h>
#include <stdint.h>

#include "functions.h"

enum form {
	/*
	 * mov $number,%eax; syscall
	 * The first is as long as a jump. The SYSCALL stays where it is, for whoever jumps to it.
	 */
	MOV_SYSCALL,
	/*
	 * xor %eax,%eax; syscall; cmp $immediate,%rax
	 * This is read(), whose number is 0. The jump takes the SYSCALL and a byte of the comparison.
	 */
	XOR_SYSCALL_CMP,
};

enum verdict { NOT_INSTRUCTION, JUMPED_INTO, PROVEN };

struct site {
	uint8_t *at;
	uint32_t number;
	enum form form;
	enum verdict verdict;
};

/* How many sites there were, and why some are left as they are */
struct site_count {
	unsigned int syscalls;	      /* 0f 05 in the text, some of them part of something else */
	unsigned int proven;
	unsigned int other_form;
	unsigned int no_function;     /* in no function that the unwinding tables know, or only half in it */
	unsigned int not_instruction; /* decoding the function from its begin does not come past */
	unsigned int jumped_into;
	unsigned int excluded;
	unsigned int no_room;	      /* more than `room` were found */
};

/*
 * Finds the sites in the text of an object that are proven to be what they seem:
 * - decoding the function that they are in, from its begin, gives exactly their instructions;
 * - nothing in it jumps into what is replaced; where that is more than one instruction, the function has no part that
 *   is somewhere else and no jump through a table.
 */
size_t find_sites(uint8_t *text, size_t size, const struct functions *functions, struct site *sites, size_t room,
		  struct site_count *count);

#endif
