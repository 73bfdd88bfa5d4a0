/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's entry for system calls by jump, and its unwinding table. */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdint.h>

/*
 * Where to jump to with the address to return to in RCX; registers are as for SYSCALL, and nothing is written to the
 * stack. 0 if this kernel has it not, or programs are not in ring 0.
 */
uintptr_t find_entry(void);

/*
 * True if unwinders will be able to go on from the entry to the program: a signal can come there, and a system call
 * that is to be restarted goes on there. From now on _dl_find_object() knows it.
 */
int describe_entry(uintptr_t entry);

#endif
