// SPDX-License-Identifier: Apache-2.0
/*
 * Lengths of x86-64 instructions (Intel SDM, volume 2, appendix A): prefixes, opcode, ModRM, SIB, displacement,
 * immediate. The test holds it against objdump over whole libraries.
 */
#include "length.h"

enum {
	MODRM = 1,
	IMM8 = 2,
	IMM16 = 4,
	IMMZ = 8,	 /* 4 bytes, 2 with the operand size prefix */
	REL8 = 16,
	REL32 = 32,
	MOFFS = 64,	 /* an address */
	GROUP3 = 128,	 /* an immediate only for two of eight operations */
	BAD = 256,
	IMMV = 512,	 /* IMMZ, or 8 bytes with REX.W */
	PREFIX = 1024,
};

#define ARITHMETIC(op) [op ... op + 3] = MODRM, [op + 4] = IMM8, [op + 5] = IMMZ

/* A table, as most instructions need nothing else: a program's start decodes many. */
static const uint16_t one_byte[256] = {
	ARITHMETIC(0x00), ARITHMETIC(0x08), ARITHMETIC(0x10), ARITHMETIC(0x18),
	ARITHMETIC(0x20), ARITHMETIC(0x28), ARITHMETIC(0x30), ARITHMETIC(0x38),
	[0x06] = BAD, [0x07] = BAD, [0x0e] = BAD, [0x16] = BAD, [0x17] = BAD, [0x1e] = BAD, [0x1f] = BAD,
	[0x27] = BAD, [0x2f] = BAD, [0x37] = BAD, [0x3f] = BAD,
	[0x26] = PREFIX, [0x2e] = PREFIX, [0x36] = PREFIX, [0x3e] = PREFIX,
	[0x60 ... 0x61] = BAD,
	[0x63] = MODRM,
	[0x64 ... 0x67] = PREFIX,
	[0x68] = IMMZ,
	[0x69] = MODRM | IMMZ,
	[0x6a] = IMM8,
	[0x6b] = MODRM | IMM8,
	[0x70 ... 0x7f] = REL8,
	[0x80] = MODRM | IMM8,
	[0x81] = MODRM | IMMZ,
	[0x82] = BAD,
	[0x83] = MODRM | IMM8,
	[0x84 ... 0x8f] = MODRM,
	[0x9a] = BAD,
	[0xa0 ... 0xa3] = MOFFS,
	[0xa8] = IMM8,
	[0xa9] = IMMZ,
	[0xb0 ... 0xb7] = IMM8,
	[0xb8 ... 0xbf] = IMMV,
	[0xc0 ... 0xc1] = MODRM | IMM8,
	[0xc2] = IMM16,
	[0xc6] = MODRM | IMM8,
	[0xc7] = MODRM | IMMZ,
	[0xc8] = IMM16 | IMM8,
	[0xca] = IMM16,
	[0xcd] = IMM8,
	[0xce] = BAD,
	[0xd0 ... 0xd3] = MODRM,
	[0xd4 ... 0xd6] = BAD,
	[0xd8 ... 0xdf] = MODRM,
	[0xe0 ... 0xe3] = REL8,
	[0xe4 ... 0xe7] = IMM8,
	[0xe8 ... 0xe9] = REL32,
	[0xea] = BAD,
	[0xeb] = REL8,
	[0xf0] = PREFIX, [0xf2] = PREFIX, [0xf3] = PREFIX,
	[0xf6 ... 0xf7] = MODRM | GROUP3,
	[0xfe ... 0xff] = MODRM,
};

/* Of the maps 0F, and 1 of VEX and EVEX: which have one byte more */
static unsigned int immediate_of_0f(uint8_t op)
{
	switch (op) {
	case 0x70: case 0x71: case 0x72: case 0x73: case 0xc2: case 0xc4: case 0xc5: case 0xc6:
		return IMM8;
	default:
		return 0;
	}
}

static unsigned int two_bytes(uint8_t op)
{
	if (op >= 0x80 && op <= 0x8f)
		return REL32;
	if ((op >= 0x30 && op <= 0x37 && op != 0x36) || (op >= 0xc8 && op <= 0xcf))
		return 0;

	switch (op) {
	case 0x05: case 0x06: case 0x07: case 0x08: case 0x09: case 0x0b: case 0x0e: case 0x77:
	case 0xa0: case 0xa1: case 0xa2: case 0xa8: case 0xa9: case 0xaa:
		return 0;
	case 0x04: case 0x0a: case 0x0c: case 0x24: case 0x25: case 0x26: case 0x27: case 0x36:
	case 0x39: case 0x3b: case 0x3c: case 0x3d: case 0x3e: case 0x3f: case 0x7a: case 0x7b: case 0xa6: case 0xa7:
	case 0x78: /* VMREAD, or one of AMD's with two immediates */
		return BAD;
	case 0x0f: case 0xa4: case 0xac: case 0xba:
		return MODRM | IMM8;
	default:
		return MODRM | immediate_of_0f(op);
	}
}

/* Bytes of ModRM and what follows it; 0 if they are not all there */
static unsigned int modrm_length(const uint8_t *at, size_t room)
{
	unsigned int mod, rm, length = 1;

	if (room == 0)
		return 0;
	mod = at[0] >> 6;
	rm = at[0] & 7;
	if (mod == 3)
		return 1;
	if (rm == 4) {
		if (room == 1)
			return 0;
		length++;
		if (mod == 0 && (at[1] & 7) == 5)
			length += 4;
	} else if (mod == 0 && rm == 5) {
		length += 4;
	}
	if (mod == 1)
		length += 1;
	if (mod == 2)
		length += 4;
	return length;
}

static unsigned int immediate_length(unsigned int kind, int rex_w, int operand_16, int address_32)
{
	unsigned int length = 0;

	if (kind & (IMM8 | REL8))
		length += 1;
	if (kind & IMM16)
		length += 2;
	if (kind & REL32)
		length += 4;
	if (kind & MOFFS)
		length += address_32 ? 4 : 8;
	if (kind & IMMV)
		length += rex_w ? 8 : operand_16 ? 2 : 4;
	if (kind & IMMZ)
		length += operand_16 && !rex_w ? 2 : 4;
	return length;
}

int decode(const uint8_t *at, size_t room, struct instruction *instruction)
{
	unsigned int kind, length = 0, rex_w = 0, operand_16 = 0, address_32 = 0, legacy = 0;
	uint8_t op = 0;

	if (room > 15)
		room = 15;
	*instruction = (struct instruction){ 0 };

	for (;; length++) {
		if (length == room)
			return 0;
		op = at[length];
		if (!(one_byte[op] & PREFIX))
			break;
		operand_16 |= op == 0x66;
		address_32 |= op == 0x67;
	}
	if ((op & 0xf0) == 0x40) {
		rex_w = op >> 3 & 1;
		if (++length == room)
			return 0;
		op = at[length];
		/* A prefix behind REX makes the CPU ignore REX: nobody writes that. */
		if ((op & 0xf0) == 0x40 || (one_byte[op] & PREFIX))
			return 0;
	}
	length++;

	if (op == 0xc5 || op == 0xc4 || op == 0x62) {
		unsigned int bytes = op == 0xc5 ? 1 : op == 0xc4 ? 2 : 3, map;

		if (length + bytes >= room)
			return 0;
		map = op == 0xc5 ? 1 : op == 0xc4 ? at[length] & 31 : at[length] & 7;
		length += bytes;
		op = at[length++];
		switch (map) {
		case 1: kind = (op == 0x77 && bytes < 3) ? 0 : MODRM | immediate_of_0f(op); break;
		case 2: case 5: case 6: kind = MODRM; break;
		case 3: kind = MODRM | IMM8; break;
		default: return 0;
		}
	} else if (op == 0x0f) {
		if (length == room)
			return 0;
		op = at[length++];
		legacy = 0x0f;
		if (op == 0x38 || op == 0x3a) {
			kind = op == 0x38 ? MODRM : MODRM | IMM8;
			if (length++ == room)
				return 0;
			legacy = 0x0f38;
		} else {
			kind = two_bytes(op);
		}
	} else {
		kind = one_byte[op];
		/* XOP of AMD's */
		if (op == 0x8f && length < room && (at[length] & 0x38) != 0)
			return 0;
		legacy = 1;
	}
	if (kind & BAD)
		return 0;

	if (kind & MODRM) {
		unsigned int reg, bytes = modrm_length(at + length, room - length);

		if (bytes == 0)
			return 0;
		reg = at[length] >> 3 & 7;
		/* Moves to and from control and debug registers have no memory operand, whatever ModRM says. */
		if (legacy == 0x0f && op >= 0x20 && op <= 0x23)
			bytes = 1;
		if ((kind & GROUP3) && reg < 2)
			kind |= op == 0xf6 ? IMM8 : IMMZ;
		if (legacy == 1 && op == 0xff && (reg == 4 || reg == 5))
			instruction->indirect_jump = 1;
		/* XBEGIN: what looks like its immediate is where an abort goes on. */
		if (legacy == 1 && op == 0xc7 && at[length] == 0xf8)
			kind = operand_16 ? BAD : REL32;
		length += bytes;
	}
	if (kind & BAD)
		return 0;
	if (kind & ~(unsigned int)MODRM)
		length += immediate_length(kind, rex_w, operand_16, address_32);
	if (length > room)
		return 0;

	instruction->length = length;
	if (kind & REL8) {
		instruction->direct_jump = 1;
		instruction->target = at + length + (int8_t)at[length - 1];
	} else if (kind & REL32) {
		int32_t distance;

		__builtin_memcpy(&distance, at + length - 4, 4);
		instruction->direct_jump = 1;
		instruction->call = legacy == 1 && op == 0xe8;
		instruction->target = at + length + distance;
	}
	return 1;
}
