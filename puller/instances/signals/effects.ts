// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';

const { SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG } =
  constants.signals;

/** What does not end a program that has no handler for it (signal(7)): ignored, or stopped and continued. */
const HARMLESS: ReadonlySet<number> = new Set([
  ...[SIGCHLD, SIGCONT, SIGURG, constants.signals.SIGWINCH],
  ...[SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU],
]);

/** What means "end" whatever a program makes of it. */
const ENDING: ReadonlySet<number> = new Set([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGKILL]);

/**
 * Whether a signal ends a machine that has no program to give it to.
 *
 * @param phase `booting`: the guest does not listen yet; `draining`: the program has ended, its output is on its way
 */
export function endsMachine(signal: number, phase: 'booting' | 'draining'): boolean {
  return phase === 'booting' ? !HARMLESS.has(signal) : ENDING.has(signal);
}
