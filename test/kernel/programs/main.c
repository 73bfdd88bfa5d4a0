// SPDX-License-Identifier: Apache-2.0
/* Process 1 of a test guest: checks what programs in ring 0 may rely on, prints a line for each, ends the machine. */
#include "check.h"

int main(void)
{
	begin();
	check_privilege();
	check_faults();
	check_stacks();
	check_processes();
	check_state();
	check_calls();
	check_ptrace();
	end();
	return 1;
}
