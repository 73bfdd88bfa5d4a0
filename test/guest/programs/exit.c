// SPDX-License-Identifier: Apache-2.0
/* Ends as its argument says: a status, or a signal by "-N". */
#include <signal.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	int number = argc > 1 ? atoi(argv[1]) : 0;

	if (number < 0)
		raise(-number);
	return number;
}
