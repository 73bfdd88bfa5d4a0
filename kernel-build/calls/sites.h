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

enum keep {
	/* The function may rely on what SYSCALL preserves, and there is nowhere to keep it: not worth a jump. */
	ALL,
	/* What follows makes no use of the registers that a C function may lose, up to its return. */
	NOTHING,
	/* They can be kept below RSP: the function calls others, so it has no red zone, and names nothing there. */
	ON_STACK,
};

enum verdict { NOT_INSTRUCTION, JUMPED_INTO, PROVEN };

struct site {
	uint8_t *at;
	uint32_t number;
	enum form form;
	enum verdict verdict;
	enum keep keep;
};

/* Functions that no other of their source file calls, so that nobody relies on which registers they leave alone. */
struct lonely {
	const uint8_t *const *begins;
	size_t count;
};

/* How many sites there were, and why some are left as they are */
struct site_count {
	unsigned int syscalls;	      /* 0f 05 in the text, some of them part of something else */
	unsigned int proven;
	unsigned int on_stack;	      /* of them, those that keep registers on the stack */
	unsigned int no_room_to_keep; /* would need the entry that preserves registers, which gains nothing */
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
 * - nothing in it jumps into what is replaced; where that is more than one instruction, the function has no part that is
 *   somewhere else and no jump through a table.
 */
size_t find_sites(uint8_t *text, size_t size, const struct functions *functions, const struct lonely *lonely,
		  struct site *sites, size_t room, struct site_count *count);

#endif
