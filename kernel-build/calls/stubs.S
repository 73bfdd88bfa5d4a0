/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stub:
 *	 0  mov $number, %eax
 *	 5  lea back(%rip), %rcx
 *	12  jmp *entry(%rip)
 *	24  .quad where the program goes on
 *
 * To the unwinder all of it is a leaf which has not touched the stack, called by what stands at its offset 24, whose
 * address follows from RIP: a signal can come before any of the instructions. 'S': the address is where the program goes
 * on, not behind a call.
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
	/* val_expression of RIP: breg16 0; const1s -32; and; plus_uconst 24; deref */
	.cfi_escape 0x16, 0x10, 0x08, 0x80, 0x00, 0x09, 0xe0, 0x1a, 0x23, STUB_RETURN, 0x06
	.fill STUBS_SIZE, 1, 0xcc
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits
