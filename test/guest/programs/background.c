// SPDX-License-Identifier: Apache-2.0
/*
 * Leaves children behind that hold its outputs open: one that sleeps, one that ignores signals and writes until it is
 * killed, and zombies. Its own last words come after theirs have begun.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) != 0)
		return 1;
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			_exit(0);
	if (fork() == 0)
		for (;;)
			pause();
	if (fork() == 0) {
		for (int number = 1; number < 32; number++)
			signal(number, SIG_IGN);
		setsid();
		for (int first = 1;; first = 0) {
			if (write(2, ".", 1) != 1)
				_exit(1);
			if (first && write(ready[1], "", 1) != 1)
				_exit(1);
		}
	}
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	printf("last words\n");
	fflush(stdout);
	return 3;
}
