// SPDX-License-Identifier: Apache-2.0
// What may become of a program that executes `int n`, as hazards/vectors/main.c words it. In ring 3 it is SIGSEGV but
// for 3 and 4; where the kernel cannot tell `int n` from the fault itself, that fault's signal is as good.
import { constants } from 'node:os';

const { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP } = constants.signals;

/** The signals of the faults whose gates these are. */
const OWN: Readonly<Record<number, number>> = {
  0: SIGFPE,
  1: SIGTRAP,
  6: SIGILL,
  9: SIGFPE,
  11: SIGBUS,
  12: SIGBUS,
  16: SIGFPE,
  17: SIGBUS,
  19: SIGFPE,
};
/** NMI and machine check ask devices, 15, 16 and 19 the processor: none has anything to say. */
const MAY_RETURN = [2, 15, 16, 18, 19];

export function outcomesOf(vector: number): string[] {
  if (vector === 3) return [`signal ${SIGTRAP}`];
  const signals = [SIGSEGV, OWN[vector]].filter((signal) => signal !== undefined).map((signal) => `signal ${signal}`);
  return MAY_RETURN.includes(vector) ? [...signals, 'returned'] : signals;
}
