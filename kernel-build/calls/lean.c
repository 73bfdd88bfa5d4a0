// SPDX-License-Identifier: Apache-2.0
#include "lean.h"

#define ANY 0x100 /* a byte of a distance */

/* `bytes` up to `end`, compared where they are no ANY. */
static int matches(const uint8_t *at, const uint8_t *end, const uint16_t *bytes, size_t count)
{
	if (end < at || (size_t)(end - at) < count)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != ANY && at[i] != bytes[i])
			return 0;
	return 1;
}

#define MATCHES(at, end, ...) \
	matches(at, end, (const uint16_t[]){ __VA_ARGS__ }, sizeof((const uint16_t[]){ __VA_ARGS__ }) / 2)

#define RELATIVE ANY, ANY, ANY, ANY

/* neg %eax; mov %eax,%fs:(%reg); -1 as the result; ret: with `reg` loaded just before from errno's offset */
static int sets_errno(const uint8_t *at, const uint8_t *end)
{
	int loads_rdx = MATCHES(at, end, 0x48, 0x8b, 0x15, RELATIVE, 0xf7, 0xd8, 0x64, 0x89, 0x02);
	int loads_rcx = MATCHES(at, end, 0x48, 0x8b, 0x0d, RELATIVE, 0xf7, 0xd8, 0x64, 0x89, 0x01);

	if (!loads_rdx && !loads_rcx)
		return 0;
	at += 12;
	return MATCHES(at, end, 0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xc3) ||
	       MATCHES(at, end, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xc3) || MATCHES(at, end, 0x48, 0x83, 0xc8, 0xff, 0xc3);
}

/* glibc's sysdeps/unix/syscall-template.S: nothing else ends so, and each is a file of its own. */
static int is_from_template(const uint8_t *begin, const uint8_t *behind, const struct range *function)
{
	const uint8_t *end = function->end;

	if (MATCHES(function->begin, end, 0xf3, 0x0f, 0x1e, 0xfa) ? begin != function->begin + 4 :
								    begin != function->begin)
		return 0;
	/* cmp $-4095,%rax; jae over the return; ret */
	if (MATCHES(behind, end, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0x73, 0x01, 0xc3))
		return sets_errno(behind + 9, end);
	/* Without an error: the function is its system call and nothing else. */
	return behind + 1 == end && behind[0] == 0xc3;
}

/* cmp $-4096,%rax; ja to where errno is set; ret */
static int returns(const uint8_t *behind, const uint8_t *end)
{
	if (MATCHES(behind, end, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, ANY, 0xc3) && behind[7] < 0x80)
		return sets_errno(behind + 8 + behind[7], end);
	return 0;
}

int may_be_lean(const struct site *site, const struct range *function, const struct lonely *lonely)
{
	const uint8_t *behind = site->at + (site->form == MOV_SYSCALL ? 7 : 4);

	if (is_from_template(site->at, behind, function))
		return 1;
	for (size_t i = 0; i < lonely->count; i++)
		if (lonely->begins[i] == function->begin)
			return returns(behind, function->end);
	return 0;
}
