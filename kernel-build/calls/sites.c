// SPDX-License-Identifier: Apache-2.0
#include "sites.h"

#include <emmintrin.h>
#include <sys/syscall.h>

#include "length.h"

enum {
	JUMP = 5,      /* bytes of the jump that is written */
	XOR_FORM = 10, /* bytes of XOR_SYSCALL_CMP */
};

static uint32_t number_at(const uint8_t *at)
{
	uint32_t number;

	__builtin_memcpy(&number, at, sizeof(number));
	return number;
}

/* Which of 16 bytes are a 0f before a 05; one more is read. */
static __m128i syscalls_in(const uint8_t *at)
{
	__m128i first = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)at), _mm_set1_epi8(0x0f));
	__m128i second = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)(at + 1)), _mm_set1_epi8(0x05));

	return _mm_and_si128(first, second);
}

/* The first 0f 05 from `at` on, or `end`. Many bytes at a time: a program's start looks at all of the text. */
static uint8_t *next_syscall(uint8_t *at, uint8_t *end)
{
	for (; end - at > 64; at += 64) {
		__m128i low = _mm_or_si128(syscalls_in(at), syscalls_in(at + 16));
		__m128i high = _mm_or_si128(syscalls_in(at + 32), syscalls_in(at + 48));

		if (_mm_movemask_epi8(_mm_or_si128(low, high)) != 0)
			break;
	}
	for (; end - at >= 2; at++)
		if (at[0] == 0x0f && at[1] == 0x05)
			return at;
	return end;
}

/* Its form and where it begins, of a SYSCALL that has at least so much text before and behind it. */
static int form_of(uint8_t *syscall, struct site *site)
{
	if (syscall[-5] == 0xb8) {
		*site = (struct site){ syscall - 5, number_at(syscall - 4), MOV_SYSCALL, NOT_INSTRUCTION };
		return 1;
	}
	if (syscall[-2] == 0x31 && syscall[-1] == 0xc0 && syscall[2] == 0x48 && syscall[3] == 0x3d) {
		*site = (struct site){ syscall - 2, 0, XOR_SYSCALL_CMP, NOT_INSTRUCTION };
		return 1;
	}
	return 0;
}

static int is_excluded(uint32_t number)
{
	switch (number) {
	/* Debuggers and unwinders know a signal's frame by the bytes of its return. */
	case SYS_rt_sigreturn:
	/* Return twice, some on another stack. They take so long that a jump would gain nothing. */
	case SYS_fork:
	case SYS_vfork:
	case SYS_clone:
	case SYS_clone3:
		return 1;
	default:
		return 0;
	}
}

static const uint8_t *end_of(const struct site *site)
{
	return site->at + (site->form == MOV_SYSCALL ? JUMP + 2 : XOR_FORM);
}

/* True for where an instruction began that will not be there any more, or inside of one. */
static int is_replaced(const struct site *site, const uint8_t *target)
{
	return target > site->at && target < (site->form == MOV_SYSCALL ? site->at + JUMP : end_of(site));
}

/*
 * Judges all sites of one function, in the order of their addresses, by decoding it once; leaves those that are proven
 * and returns how many.
 */
static size_t judge(struct site *sites, size_t count, const struct range *function, struct site_count *counted)
{
	size_t next = 0, proven = 0;
	int in_one_piece = 1;

	for (const uint8_t *at = function->begin; at < function->end;) {
		struct instruction instruction;

		if (!decode(at, function->end - at, &instruction)) {
			counted->not_instruction += count;
			return 0;
		}
		while (next < count && sites[next].at < at)
			next++;
		if (next < count && sites[next].at == at && sites[next].verdict == NOT_INSTRUCTION)
			sites[next].verdict = PROVEN;
		if (instruction.indirect_jump)
			in_one_piece = 0;
		if (instruction.direct_jump) {
			if (!instruction.call &&
			    (instruction.target < function->begin || instruction.target >= function->end))
				in_one_piece = 0;
			for (size_t i = 0; i < count; i++)
				if (is_replaced(&sites[i], instruction.target))
					sites[i].verdict = JUMPED_INTO;
		}
		at += instruction.length;
	}
	for (size_t i = 0; i < count; i++) {
		struct site *site = &sites[i];

		/*
		 * Where several instructions are replaced, one of them might be jumped to through a table, or from a
		 * part of the function that is somewhere else: no jump must lead there.
		 */
		if (site->verdict == PROVEN && site->form != MOV_SYSCALL && !in_one_piece)
			site->verdict = JUMPED_INTO;
		if (site->verdict == PROVEN) {
			sites[proven++] = *site;
		} else if (site->verdict == JUMPED_INTO) {
			counted->jumped_into++;
		} else {
			counted->not_instruction++;
		}
	}
	return proven;
}

size_t find_sites(uint8_t *text, size_t size, const struct functions *functions, struct site *sites, size_t room,
		  struct site_count *count)
{
	uint8_t *end = text + size;
	struct range function = { 0 };
	/* From `first` on they are of the last function and not judged yet. */
	size_t found = 0, first = 0;

	for (uint8_t *at = next_syscall(text, end); at < end; at = next_syscall(at + 2, end)) {
		struct site site;

		count->syscalls++;
		if (at - text < JUMP || end - at < XOR_FORM || !form_of(at, &site)) {
			count->other_form++;
			continue;
		}
		if (is_excluded(site.number)) {
			count->excluded++;
			continue;
		}
		if (site.at < function.begin || site.at >= function.end) {
			found = first += judge(sites + first, found - first, &function, count);
			if (!functions_find(functions, site.at, &function)) {
				function = (struct range){ 0 };
				count->no_function++;
				continue;
			}
		}
		if (function.end < end_of(&site))
			count->no_function++;
		else if (found == room)
			count->no_room++;
		else
			sites[found++] = site;
	}
	found = first + judge(sites + first, found - first, &function, count);
	count->proven = found;
	return found;
}
