// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

/* asm/prctl.h, which musl's compiler does not find */
#define ARCH_SET_GS 0x1001

/* All memory, writable, as the kernel sees it: asm/page_64_types.h, __PAGE_OFFSET_BASE_L4. Here its 16th MiB. */
#define DIRECT_MAP (0xffff888000000000UL + (16UL << 20))

void check_privilege(void)
{
	unsigned short cs;
	unsigned long cr0, call = getauxval(32), lean = getauxval(34);

	__asm__ volatile("mov %%cs, %0" : "=r"(cs));
	printf("cpl=%d cpus=%ld\n", cs & 3, sysconf(_SC_NPROCESSORS_ONLN));
	CHECK("programs run at level 0", (cs & 3) == 0, cs);

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	CHECK("a privileged instruction runs", cr0 & 1, cr0);
	CHECK("read-only pages are read-only at level 0, too", cr0 & (1 << 16), cr0);

	CHECK("AT_SYSINFO is in the kernel", (long)call < 0, call);
	CHECK("AT_SYSINFO_LEAN is in the kernel", (long)lean < 0 && lean != call, lean);

	CHECK("GS is refused", syscall(SYS_arch_prctl, ARCH_SET_GS, &cs) == -1 && errno == EPERM, errno);
	CHECK("a bad pointer is EFAULT", write(1, (void *)8, 4) == -1 && errno == EFAULT, errno);
	CHECK("a pointer that is none is EFAULT", write(1, (void *)(1UL << 62), 4) == -1 && errno == EFAULT, errno);
	CHECK("a pointer to the end of all is EFAULT", write(1, (void *)-1L, 4) == -1 && errno == EFAULT, errno);
	CHECK("the kernel's text is no name of a file", open((const char *)call, O_RDONLY) == -1 && errno == EFAULT, errno);
	CHECK("the kernel's memory takes no answer", syscall(SYS_uname, DIRECT_MAP) == -1 && errno == EFAULT, errno);
}
