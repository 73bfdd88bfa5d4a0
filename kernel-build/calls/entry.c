// SPDX-License-Identifier: Apache-2.0
#include "entry.h"

#include <stddef.h>

enum {
	AT_SYSINFO = 32,
	POP_RCX = 0x59,
};

extern unsigned long getauxval(unsigned long type) __attribute__((weak));

uintptr_t find_entry(void)
{
	uintptr_t entry;
	uint16_t cs;

	if (getauxval == NULL)
		return 0;
	entry = getauxval(AT_SYSINFO);
	__asm__("movw %%cs, %0" : "=rm"(cs));
	/* Only in ring 0 the kernel can be read, too. */
	if ((cs & 3) != 0 || (intptr_t)entry >= 0 || *(const volatile uint8_t *)entry != POP_RCX)
		return 0;
	return entry + 1;
}
