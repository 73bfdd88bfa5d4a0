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

/* Writes one stub; returns where the next one may be. */
static uint8_t *write_stub(uint8_t *stub, const struct site *site, const struct entries *entries)
{
	const uint8_t *go_on = site->at + (site->form == MOV_SYSCALL ? 7 : 10);
	const uint8_t *back = site->form == MOV_SYSCALL ? go_on : stub + STUB_SIZE;

	put(stub, "\xb8", 1);
	put(stub + 1, &site->number, 4);
	put(stub + 5, "\x48\x8d\x0d", 3);
	put_distance(stub + 8, back);
	put(stub + 12, "\xff\x25", 2);
	put_distance(stub + 14, site->lean && entries->lean != 0 ? &entries->lean : &entries->full);
	put(stub + STUB_RETURN, &go_on, sizeof(go_on));
	stub += STUB_SIZE;
	if (site->form == MOV_SYSCALL)
		return stub;

	/* The comparison, which the jump has overwritten */
	put(stub, site->at + 4, 6);
	put(stub + 6, "\xe9", 1);
	put_distance(stub + 7, go_on);
	put(stub + STUB_RETURN, &go_on, sizeof(go_on));
	return stub + STUB_SIZE;
}

static void write_jump(const struct site *site, const uint8_t *stub)
{
	put(site->at, "\xe9", 1);
	put_distance(site->at + 1, stub);
	/* What is left of the comparison is never reached. */
	if (site->form == XOR_SYSCALL_CMP)
		put(site->at + 5, "\xcc\xcc\xcc\xcc\xcc", 5);
}

int patch_sites(uint8_t *text, size_t size, const struct site *sites, size_t count, const struct entries *entries)
{
	uint8_t *stub = calls_stubs;
	uint64_t all = ~0UL, before;
	size_t stubs = 0;
	int error;

	for (size_t i = 0; i < count; i++)
		stubs += sites[i].form == MOV_SYSCALL ? 1 : 2;
	if (stubs * STUB_SIZE > STUBS_SIZE || !is_near(text, calls_stubs) ||
	    !is_near(text + size, calls_stubs) || !is_near(calls_stubs, entries))
		return ERANGE;

	call4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&all, (long)&before, 8);
	error = protect(calls_stubs, STUBS_SIZE, PROT_READ | PROT_WRITE);
	if (error == 0) {
		for (size_t i = 0; i < count; i++)
			stub = write_stub(stub, &sites[i], entries);
		error = protect(calls_stubs, STUBS_SIZE, PROT_READ | PROT_EXEC);
	}
	if (error == 0)
		error = protect(text, size, PROT_READ | PROT_WRITE);
	if (error == 0) {
		stub = calls_stubs;
		for (size_t i = 0; i < count; i++) {
			write_jump(&sites[i], stub);
			stub += sites[i].form == MOV_SYSCALL ? STUB_SIZE : 2 * STUB_SIZE;
		}
		/* A C library that cannot be executed any more: there is no way on. */
		if (protect(text, size, PROT_READ | PROT_EXEC) != 0)
			__builtin_trap();
	}
	call4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)&before, 0, 8);
	return error;
}
