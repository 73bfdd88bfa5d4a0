// SPDX-License-Identifier: Apache-2.0
/* Calls nothing of the C library: its text cannot be executed while it is written. */
#include "patch.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "stubs.h"

static long call4(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

static int protect(const void *at, size_t size, int protection)
{
	uintptr_t begin = (uintptr_t)at & ~4095UL, end = ((uintptr_t)at + size + 4095) & ~4095UL;

	return (int)-call4(SYS_mprotect, (long)begin, (long)(end - begin), protection, 0);
}

static void put(uint8_t *at, const void *bytes, size_t size)
{
	__builtin_memcpy(at, bytes, size);
}

/* The 32-bit distance of `target` from the end of an instruction; both are known to be near. */
static void put_distance(uint8_t *at, const void *target)
{
	int32_t distance = (int32_t)((const uint8_t *)target - (at + 4));

	put(at, &distance, 4);
}

static int is_near(const void *one, const void *other)
{
	intptr_t distance = (intptr_t)one - (intptr_t)other;

	return distance < 0x7f000000 && distance > -0x7f000000;
}

static size_t parts_of(const struct site *site)
{
	return site->form == XOR_SYSCALL_CMP ? 2 : 1;
}

static void write_stub(uint8_t *stub, const struct site *site, const uintptr_t *entry)
{
	const uint8_t *go_on = site->at + (site->form == MOV_SYSCALL ? 7 : 10);
	const uint8_t *back = parts_of(site) == 1 ? go_on : stub + STUB_SIZE;

	put(stub, "\xb8", 1);
	put(stub + 1, &site->number, 4);
	put(stub + 5, "\x48\x8d\x0d", 3);
	put_distance(stub + 8, back);
	put(stub + 12, "\xff\x25", 2);
	put_distance(stub + 14, entry);
	put(stub + STUB_RETURN, &go_on, sizeof(go_on));
	if (parts_of(site) == 1)
		return;

	/* The comparison that the jump to here has overwritten */
	stub += STUB_SIZE;
	put(stub, site->at + 4, 6);
	put(stub + 6, "\xe9", 1);
	put_distance(stub + 7, go_on);
	put(stub + STUB_RETURN, &go_on, sizeof(go_on));
}

static void write_jump(const struct site *site, const uint8_t *stub)
{
	put(site->at, "\xe9", 1);
	put_distance(site->at + 1, stub);
	/* What is left of the comparison is never reached. */
	if (site->form == XOR_SYSCALL_CMP)
		put(site->at + 5, "\xcc\xcc\xcc\xcc\xcc", 5);
}

int patch_sites(uint8_t *text, size_t size, const struct site *sites, size_t count, const uintptr_t *entry)
{
	uint8_t *stub = calls_stubs;
	uint64_t all = ~0UL, before;
	size_t stubs = 0;
	int error;

	for (size_t i = 0; i < count; i++)
		stubs += parts_of(&sites[i]);
	if (stubs * STUB_SIZE > STUBS_SIZE || !is_near(text, calls_stubs) ||
	    !is_near(text + size, calls_stubs) || !is_near(calls_stubs, entry))
		return ERANGE;

	call4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&all, (long)&before, 8);
	error = protect(calls_stubs, STUBS_SIZE, PROT_READ | PROT_WRITE);
	if (error == 0) {
		for (size_t i = 0; i < count; i++) {
			write_stub(stub, &sites[i], entry);
			stub += STUB_SIZE * parts_of(&sites[i]);
		}
		error = protect(calls_stubs, STUBS_SIZE, PROT_READ | PROT_EXEC);
	}
	if (error == 0)
		error = protect(text, size, PROT_READ | PROT_WRITE);
	if (error == 0) {
		stub = calls_stubs;
		for (size_t i = 0; i < count; i++) {
			write_jump(&sites[i], stub);
			stub += STUB_SIZE * parts_of(&sites[i]);
		}
		/* A C library that cannot be executed any more: there is no way on. */
		if (protect(text, size, PROT_READ | PROT_EXEC) != 0)
			__builtin_trap();
	}
	call4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)&before, 0, 8);
	return error;
}
