// SPDX-License-Identifier: Apache-2.0
/* Says "ready", and then which signals it gets; ends with status 7 at SIGTERM. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("ready\n");
	while (sigwait(&set, &number) == 0) {
		printf("signal %d\n", number);
		if (number == SIGTERM)
			return 7;
	}
	return 1;
}
