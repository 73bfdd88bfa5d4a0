// SPDX-License-Identifier: Apache-2.0
/* MEBIBYTES: touches so much memory and says "filled"; at SIGUSR1 gives it back and says "freed"; ends at SIGUSR1. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 20;
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setvbuf(stdout, NULL, _IONBF, 0);

	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	memset(memory, 0xa5, size);
	printf("filled\n");
	sigwait(&set, &number);
	munmap(memory, size);
	printf("freed\n");
	sigwait(&set, &number);
	return 0;
}
