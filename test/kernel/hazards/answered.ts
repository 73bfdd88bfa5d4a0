// SPDX-License-Identifier: Apache-2.0
// What a program in ring 0 must not do, and whether this series of patches has an answer to it. The checks of what has
// none are skipped; UK_TEST_HAZARDS=all runs them anyway. A patch that answers one turns it on here.

export const ANSWERED = {
  /** `int n` is a signal for every n. */
  vectors: false,
  /** RDGSBASE and WRGSBASE are undefined instructions. */
  gs: false,
  /** What a program that has cleared IF meets in the kernel sets it again. */
  interrupts: false,
  /** A program that spins with interrupts off ends by an NMI, with a report. */
  spinning: true,
  /** GS loaded by MOV ends the machine, with a report. */
  gsLost: false,
} as const satisfies Record<string, boolean>;

export function isAnswered(hazard: keyof typeof ANSWERED): boolean {
  return ANSWERED[hazard] || process.env.UK_TEST_HAZARDS === 'all';
}
