/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UK_LOG_H
#define UK_LOG_H

/* One line in the kernel's log, where it is the only place left to say something. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/*
 * For what must not happen: says it in the kernel's log and resets the machine. The node sees a monitor that ended
 * without an EXIT and shows the end of that log.
 */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

/* `power_off` asks the firmware (ACPI); without it the machine is reset, which ends a monitor that may not reboot. */
__attribute__((noreturn)) void machine_end(int power_off);

#endif
