/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the time stamp counter in its first instruction, prints it, ends the machine. Under -icount shift=0 the counter
 * is that of the instructions since the machine's start. Linked where nothing else is (FIRST_ADDRESS in programs.ts), so
 * that count.c knows it.
 */
	.globl	_start
_start:	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	lea	end(%rip), %rsi
	mov	$10, %ecx
1:	dec	%rsi
	xor	%edx, %edx
	div	%rcx
	add	$'0', %dl
	mov	%dl, (%rsi)
	test	%rax, %rax
	jnz	1b
	sub	$7, %rsi		/* "first: " */
	mov	first(%rip), %rax
	mov	%eax, (%rsi)
	shr	$32, %rax
	mov	%ax, 4(%rsi)
	movb	$' ', 6(%rsi)
	lea	end+1(%rip), %rdx
	sub	%rsi, %rdx
	mov	$1, %edi
	mov	$1, %eax		/* write */
	syscall
	mov	$0xfee1dead, %edi
	mov	$672274793, %esi
	mov	$0x1234567, %edx
	mov	$169, %eax		/* reboot */
	syscall
	ud2

	.data
first:	.ascii	"first: \0"
	.skip	32
end:	.ascii	"\n"
