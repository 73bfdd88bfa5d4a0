// SPDX-License-Identifier: Apache-2.0
/* The format: Linux Standard Base Core, "Exception Frames". */
#include "functions.h"

enum {
	PE_UDATA4 = 0x03,
	PE_SDATA4 = 0x0b,
	PE_PCREL = 0x10,
	PE_DATAREL = 0x30,
};

static int32_t number_at(const uint8_t *at)
{
	int32_t number;

	__builtin_memcpy(&number, at, sizeof(number));
	return number;
}

int functions_open(struct functions *functions, const uint8_t *header)
{
	/* Version, then how the pointer to .eh_frame, the count and the table are written. */
	if (header[0] != 1 || header[1] != (PE_PCREL | PE_SDATA4) || header[2] != PE_UDATA4 ||
	    header[3] != (PE_DATAREL | PE_SDATA4))
		return 0;
	functions->header = header;
	functions->count = (uint32_t)number_at(header + 8);
	functions->table = header + 12;
	return 1;
}

static const uint8_t *skip_leb(const uint8_t *at)
{
	while (*at & 0x80)
		at++;
	return at + 1;
}

/* True if the FDEs of this CIE write their addresses as 32-bit numbers relative to where they stand. */
static int is_usual_cie(const uint8_t *cie)
{
	const uint8_t *augmentation = cie + 9, *at;

	/* 64-bit lengths and other versions are for objects that no compiler has made so far. */
	if (number_at(cie) == -1 || number_at(cie + 4) != 0 || (cie[8] != 1 && cie[8] != 3) || augmentation[0] != 'z')
		return 0;
	for (at = augmentation; *at != 0; at++)
		;
	at++;
	at = skip_leb(at);			/* code alignment */
	at = skip_leb(at);			/* data alignment */
	at = cie[8] == 1 ? at + 1 : skip_leb(at); /* return address register */
	at = skip_leb(at);			/* length of the augmentation */
	for (augmentation++; *augmentation != 0; augmentation++) {
		switch (*augmentation) {
		case 'R':
			return *at == (PE_PCREL | PE_SDATA4);
		case 'L':
			at++;
			break;
		case 'P':
			if ((*at & 0x0f) != PE_SDATA4)
				return 0;
			at += 5;
			break;
		case 'S':
			break;
		default:
			return 0;
		}
	}
	return 0;
}

int functions_range(const struct functions *functions, size_t number, struct range *range)
{
	const uint8_t *entry = functions->table + 8 * number;
	const uint8_t *fde = functions->header + number_at(entry + 4);

	if (number_at(fde) == -1 || !is_usual_cie(fde + 4 - number_at(fde + 4)))
		return 0;
	range->begin = fde + 8 + number_at(fde + 8);
	range->end = range->begin + (uint32_t)number_at(fde + 12);
	return range->begin == functions->header + number_at(entry);
}

int functions_find(const struct functions *functions, const uint8_t *address, struct range *range)
{
	size_t low = 0, high = functions->count;

	/* The last one that does not begin behind the address. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (functions->header + number_at(functions->table + 8 * middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && functions_range(functions, low - 1, range) && address < range->end;
}
