/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of entry.c: an entry with the contract of the kernel's, made of SYSCALL, to try all the rest of it without ring
 * 0. The address to return to waits out of the red zone, but for vfork's child, which would overwrite it there.
 */
	.text
	.globl find_entry
	.hidden find_entry
	.type find_entry, @function
find_entry:
	.cfi_startproc
	leaq jump(%rip), %rax
	ret
	.cfi_endproc

	.balign 16
call:
	popq %rcx
jump:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rcx
	/* As long as what the table of entry-frame.c speaks of: the address is in RCX */
	.fill 32, 1, 0x90
	lock incq calls(%rip)
	cmpl $58, %eax
	je vfork
	leaq -128(%rsp), %rsp
	.cfi_adjust_cfa_offset 128
	pushq %rcx
	.cfi_adjust_cfa_offset 8
	.cfi_offset %rip, -136
	syscall
	popq %rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	leaq 128(%rsp), %rsp
	.cfi_adjust_cfa_offset -128
	jmp *%rcx
vfork:
	movq %rcx, vfork_return(%rip)
	syscall
	jmp *vfork_return(%rip)
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
vfork_return:
	.quad 0

	.section .note.GNU-stack, "", @progbits
