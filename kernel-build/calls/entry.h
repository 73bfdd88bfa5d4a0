/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's entries for system calls by jump, and their unwinding table. */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdint.h>

/* Where to jump to with the address to return to in RCX. 0 if this kernel has it not, or programs are not in ring 0. */
struct entries {
	uintptr_t full; /* registers are as for SYSCALL; restarted system calls go there */
	uintptr_t lean; /* RCX, RDX, RSI, RDI and R8 to R11 are lost, too */
};

struct entries find_entries(void);

/*
 * True if unwinders will be able to go on from the entries to the program: a signal can come there, and a system call
 * that is to be restarted goes on there. From now on _dl_find_object() knows them.
 */
int describe_entries(const struct entries *entries);

#endif
