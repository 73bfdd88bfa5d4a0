/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of entry.c: an entry with the contract of the kernel's, made of SYSCALL, to try all the rest of it without
 * ring 0. The address to return to waits out of the red zone.
 */
	.text
	.globl find_entry
	.hidden find_entry
	.type find_entry, @function
find_entry:
	.cfi_startproc
	leaq entry(%rip), %rax
	ret
	.cfi_endproc

	/*
	 * It begins with as much as the table of entry-frame.c speaks of, where the address is in RCX, and loses what
	 * it may lose: RAX for the result, RCX, R11 and the flags.
	 */
	.balign 16
	popq %rcx
entry:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rcx
	.fill 32, 1, 0x90
	lock incq calls(%rip)
	leaq -128(%rsp), %rsp
	.cfi_adjust_cfa_offset 128
	pushq %rcx
	.cfi_adjust_cfa_offset 8
	.cfi_offset %rip, -136
	syscall
	popq %r11
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %r11
	addq $128, %rsp
	.cfi_adjust_cfa_offset -128
	movq $0x5a5a5a5a, %rcx
	jmp *%r11
	.cfi_endproc

	/* How many calls came by it */
	.globl fake_entry_calls
	.type fake_entry_calls, @object
	.size fake_entry_calls, 8
	.data
	.balign 8
fake_entry_calls:
calls:
	.quad 0

	.section .note.GNU-stack, "", @progbits
