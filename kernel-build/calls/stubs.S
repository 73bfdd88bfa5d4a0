/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stub, of one part or two:
 *	mov $number, %eax
 *	lea back(%rip), %rcx
 *	jmp *entry(%rip)
 * back:					in the site, or if the jump to here has overwritten it:
 *	cmp …
 *	jmp to where the site goes on
 * and at the end of each part the address where the site goes on.
 *
 * To the unwinder all of it is a leaf which has not moved the stack, called by what stands at the part's end, whose
 * address follows from RIP: a signal can come before any of the instructions. 'S': the address is where the program
 * goes on, not behind a call.
 */
#include "stubs.h"

	.section .text.stubs, "ax", @progbits
	.balign 4096
	.globl calls_stubs
	.hidden calls_stubs
	.type calls_stubs, @object
	.size calls_stubs, STUBS_SIZE
calls_stubs:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	/* val_expression of RIP: breg16 0; const1s -STUB_SIZE; and; plus_uconst STUB_RETURN; deref */
	.cfi_escape 0x16, 0x10, 0x08, 0x80, 0x00, 0x09, 0x100 - STUB_SIZE, 0x1a, 0x23, STUB_RETURN, 0x06
	.fill STUBS_SIZE, 1, 0xcc
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits
