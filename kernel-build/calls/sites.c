// SPDX-License-Identifier: Apache-2.0
#include "sites.h"

#include <emmintrin.h>
#include <sys/syscall.h>

#include "lean.h"
#include "length.h"

enum {
	JUMP = 5,	  /* bytes of the jump that is written */
	XOR_FORM = 10,	  /* bytes of XOR_SYSCALL_CMP */
	SHORT_REACH = 130 /* no short jump comes from further away */
};

static uint32_t number_at(const uint8_t *at)
{
	uint32_t number;

	__builtin_memcpy(&number, at, sizeof(number));
	return number;
}

/* The first 0f 05 from `at` on, or `end`. Sixteen bytes at a time: this is most of what a start costs. */
static uint8_t *next_syscall(uint8_t *at, uint8_t *end)
{
	const __m128i first = _mm_set1_epi8(0x0f);

	while (end - at >= 16) {
		unsigned int hits = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((void *)at), first));

		for (; hits != 0; hits &= hits - 1) {
			uint8_t *hit = at + __builtin_ctz(hits);

			if (end - hit >= 2 && hit[1] == 0x05)
				return hit;
		}
		at += 16;
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
		*site = (struct site){ .at = syscall - 5, .number = number_at(syscall - 4), .form = MOV_SYSCALL };
		return 1;
	}
	if (syscall[-2] == 0x31 && syscall[-1] == 0xc0 && syscall[2] == 0x48 && syscall[3] == 0x3d) {
		*site = (struct site){ .at = syscall - 2, .number = 0, .form = XOR_SYSCALL_CMP };
		return 1;
	}
	return 0;
}

static int is_excluded(uint32_t number)
{
	/* Debuggers and unwinders know a signal's frame by the bytes of its return. */
	return number == SYS_rt_sigreturn;
}

/*
 * True if bytes outside of the function could be a jump to inside of (at, at + length), whether or not they are an
 * instruction. What is in the function has been decoded.
 */
static int may_jump_into(const uint8_t *text, size_t size, const uint8_t *at, size_t length,
			 const struct range *function)
{
	const uint8_t *end = text + size;
	const __m128i call = _mm_set1_epi8((char)0xe8), low_bit = _mm_set1_epi8(1);
	const __m128i two_bytes = _mm_set1_epi8(0x0f);
	const uint8_t *from = at - text > SHORT_REACH ? at - SHORT_REACH : text;
	const uint8_t *to = end - at > SHORT_REACH + XOR_FORM ? at + length + SHORT_REACH : end - 2;

	for (const uint8_t *byte = from; byte < to; byte++) {
		if (byte >= function->begin && byte < function->end)
			continue;
		if (byte[0] != 0xeb && (byte[0] & 0xf0) != 0x70 && (byte[0] & 0xfc) != 0xe0)
			continue;
		if ((uintptr_t)(byte + 2 + (int8_t)byte[1] - (at + 1)) < length - 1)
			return 1;
	}
	for (const uint8_t *block = text; end - block >= 16 + 6; block += 16) {
		__m128i bytes = _mm_loadu_si128((void *)block);
		/* e8 and e9; 0f, of which the byte behind is looked at below */
		unsigned int hits = _mm_movemask_epi8(_mm_or_si128(
			_mm_cmpeq_epi8(_mm_andnot_si128(low_bit, bytes), call), _mm_cmpeq_epi8(bytes, two_bytes)));

		for (; hits != 0; hits &= hits - 1) {
			const uint8_t *hit = block + __builtin_ctz(hits);

			if (hit >= function->begin && hit < function->end)
				continue;
			if (hit[0] == 0x0f) {
				if ((hit[1] & 0xf0) != 0x80)
					continue;
				hit++;
			}
			if ((uintptr_t)(hit + 5 + (int32_t)number_at(hit + 1) - (at + 1)) < length - 1)
				return 1;
		}
	}
	return 0;
}

enum verdict { PROVEN, NO_FUNCTION, NOT_INSTRUCTION, JUMPED_INTO };

static enum verdict judge(struct site *site, const uint8_t *text, size_t size, const struct functions *functions,
			  const struct lonely *lonely)
{
	const uint8_t *at = site->at, *end = at + (site->form == MOV_SYSCALL ? JUMP + 2 : XOR_FORM), *next;
	/* Where jumps may go: to the first instruction and to those that stay. */
	const uint8_t *replaced_end = site->form == MOV_SYSCALL ? at + JUMP : end;
	int reached = 0, jumped_into = 0, indirect = 0;
	struct range range;

	if (!functions_find(functions, at, &range) || range.end < end)
		return NO_FUNCTION;
	for (next = range.begin; next < range.end;) {
		struct instruction instruction;

		if (!decode(next, range.end - next, &instruction))
			return NOT_INSTRUCTION;
		if (next == at)
			reached = 1;
		/* The bytes can mean nothing else from there on. */
		if (next < at && next + instruction.length > at)
			return NOT_INSTRUCTION;
		indirect |= instruction.indirect_jump;
		if (instruction.direct_jump && instruction.target > at && instruction.target < replaced_end)
			jumped_into = 1;
		next += instruction.length;
	}
	if (!reached)
		return NOT_INSTRUCTION;
	/* Of several instructions any may be jumped to, from anywhere or through a table. */
	if (jumped_into ||
	    (site->form != MOV_SYSCALL && (indirect || may_jump_into(text, size, at, end - at, &range))))
		return JUMPED_INTO;
	site->lean = may_be_lean(site, &range, lonely);
	return PROVEN;
}

size_t find_sites(uint8_t *text, size_t size, const struct functions *functions, const struct lonely *lonely,
		  struct site *sites, size_t room, struct site_count *count)
{
	uint8_t *end = text + size;
	size_t found = 0;

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
		switch (judge(&site, text, size, functions, lonely)) {
		case NO_FUNCTION: count->no_function++; continue;
		case NOT_INSTRUCTION: count->not_instruction++; continue;
		case JUMPED_INTO: count->jumped_into++; continue;
		case PROVEN: break;
		}
		if (found == room) {
			count->no_room++;
			continue;
		}
		sites[found++] = site;
		count->lean += site.lean;
	}
	count->proven = found;
	return found;
}
