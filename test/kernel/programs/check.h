/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of a guest's kernel have in common. Each prints one line: `ok NAME` or `FAIL NAME: why`. */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <sys/types.h>

/* Prints the line of a check that went as it should. */
void passed(const char *name);

/* Prints the line of a check that did not; `value` is what was found. */
void failed(const char *name, const char *why, long value);

/* One line for `condition`. */
#define CHECK(name, condition, value) \
	((condition) ? passed(name) : failed(name, #condition, (long)(value)))

/* Runs `body` in a child. Returns its wait status. */
int in_child(void (*body)(void));

/* Waits until a thread sleeps in the kernel in read(), which its call's number tells. */
void wait_in_read(pid_t thread);

/* What process 1 does first: whole lines on the console, /proc. */
void begin(void);

/* What it does last: says `end` and ends the machine. */
void end(void);

/* The groups of checks, a file each. */
void check_privilege(void);
void check_faults(void);
void check_stacks(void);
void check_processes(void);
void check_calls(void);
void check_ptrace(void);
void check_state(void);

#endif
