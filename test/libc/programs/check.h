/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of the libc have in common. Each prints one line: `ok NAME` or `FAIL NAME: why`. */
#ifndef CHECK_H
#define CHECK_H

void passed(const char *name);
void failed(const char *name, const char *why, long value);

/* One line for `condition`; `value` is what was found. */
#define CHECK(name, condition, value) \
	((condition) ? passed(name) : failed(name, #condition, (long)(value)))

/* The kernel's entry, 0 where there is none. */
unsigned long kernel_entry(void);

/* Path of this program, to run it again. */
extern const char *self;

/* The groups of checks, a file each. */
void check_calls(void);
void check_signals(void);
void check_processes(void);
void check_threads(void);
void check_cancel(void);
void check_cancel_steps(void);

#endif
