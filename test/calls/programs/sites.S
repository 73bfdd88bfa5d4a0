// SPDX-License-Identifier: Apache-2.0
/*
 * System calls in all the surroundings that decide whether they may be replaced. Nobody runs this. The label of a site
 * says what must become of it.
 */
.macro function name
	.globl \name
	.type \name, @function
	.p2align 4
\name:
	.cfi_startproc
.endm

.macro end name
	ret
	.cfi_endproc
	.size \name, . - \name
.endm

/* mov $getpid,%eax; syscall */
.macro mov_site
	.byte 0xb8
	.long 39
	syscall
.endm

/* xor %eax,%eax; syscall; cmp $-4096,%rax */
.macro xor_site
	xor	%eax, %eax
	syscall
	.byte 0x48, 0x3d
	.long -4096
.endm

	.text
function plain_mov
proven_mov:
	mov_site
end plain_mov

function plain_xor
proven_xor:
	xor_site
end plain_xor

/* The SYSCALL stays where it is, so a loop may go there. */
function loop_to_syscall
	jmp	proven_loop + 5
proven_loop:
	mov_site
end loop_to_syscall

/* Into the number, which would be the middle of the jump */
function loop_into_mov
	jne	refused_loop + 3
refused_loop:
	mov_site
end loop_into_mov

function loop_to_syscall_of_xor
	jne	refused_xor_loop + 2
refused_xor_loop:
	xor_site
end loop_to_syscall_of_xor

/* A call is a jump, too. */
function call_to_syscall_of_xor
	call	refused_xor_call + 2
refused_xor_call:
	xor_site
end call_to_syscall_of_xor

/* From the cold part of a function something may come back, to wherever it likes. */
function leaving_xor
	jne	plain_mov
refused_leaving:
	xor_site
end leaving_xor

function leaving_mov
	jne	plain_xor
proven_leaving:
	mov_site
end leaving_mov

function calling_xor
	call	plain_mov
proven_calling:
	xor_site
end calling_xor

function switching_xor
	jmp	*%rdx
refused_switching:
	xor_site
end switching_xor

function switching_mov
	jmp	*(%rdx, %rcx, 8)
proven_switching:
	mov_site
end switching_mov

/* The bytes are there, but inside of something else. */
function constant
	.byte 0x48, 0xb9		/* movabs $…,%rcx */
refused_constant:
	.byte 0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0
end constant

/* Returns twice. */
function forking
refused_forking:
	.byte 0xb8
	.long 57
	syscall
end forking

/* Not known to the unwinding tables */
	.globl	outside
	.type	outside, @function
outside:
refused_outside:
	mov_site
	ret
	.size	outside, . - outside
	/* A site at the very end of the text is not looked at. */
	.skip	16, 0x90

	.section .note.GNU-stack, "", @progbits
