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
};

static unsigned int one_byte(uint8_t op)
{
	if (op < 0x40) {
		switch (op & 7) {
		case 4: return IMM8;
		case 5: return IMMZ;
		case 6: case 7: return BAD;
		default: return MODRM;
		}
	}
	if (op >= 0x70 && op <= 0x7f)
		return REL8;
	if (op >= 0x84 && op <= 0x8f)
		return MODRM;
	if (op >= 0xb0 && op <= 0xb7)
		return IMM8;
	if (op >= 0xb8 && op <= 0xbf)
		return IMMV;
	if (op >= 0xd8 && op <= 0xdf)
		return MODRM;

	switch (op) {
	case 0x63: case 0xd0: case 0xd1: case 0xd2: case 0xd3: case 0xfe: case 0xff:
		return MODRM;
	case 0x69: case 0x81: case 0xc7:
		return MODRM | IMMZ;
	case 0x6b: case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6:
		return MODRM | IMM8;
	case 0xf6: case 0xf7:
		return MODRM | GROUP3;
	case 0x68: case 0xa9:
		return IMMZ;
	case 0x6a: case 0xa8: case 0xcd: case 0xe4: case 0xe5: case 0xe6: case 0xe7:
		return IMM8;
	case 0xa0: case 0xa1: case 0xa2: case 0xa3:
		return MOFFS;
	case 0xc2: case 0xca:
		return IMM16;
	case 0xc8:
		return IMM16 | IMM8;
	case 0xe0: case 0xe1: case 0xe2: case 0xe3: case 0xeb:
		return REL8;
	case 0xe8: case 0xe9:
		return REL32;
	case 0x60: case 0x61: case 0x82: case 0x9a: case 0xce: case 0xd4: case 0xd5: case 0xd6: case 0xea:
		return BAD;
	default:
		return 0;
	}
}

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
		if (op == 0x66)
			operand_16 = 1;
		else if (op == 0x67)
			address_32 = 1;
		else if (op != 0x26 && op != 0x2e && op != 0x36 && op != 0x3e && op != 0x64 && op != 0x65 &&
			 op != 0xf0 && op != 0xf2 && op != 0xf3)
			break;
	}
	if ((op & 0xf0) == 0x40) {
		rex_w = op >> 3 & 1;
		if (++length == room)
			return 0;
		op = at[length];
		/* A prefix behind REX makes the CPU ignore REX: nobody writes that. */
		if ((op & 0xf0) == 0x40)
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
		kind = one_byte(op);
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
		length += bytes;
	}
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
