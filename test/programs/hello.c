// SPDX-License-Identifier: Apache-2.0
/* The shortest program that shows that it ran. As a guest's /init it also ends the guest. */
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	puts("hello");
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_AUTOBOOT);
	return 0;
}
