// SPDX-License-Identifier: Apache-2.0
// The terminal that this process is started in, given to a program in a guest.
import { CliError } from './errors.ts';

export interface TerminalSize {
  rows: number;
  columns: number;
}

/** Where nobody sees it. */
const UNSEEN: TerminalSize = { rows: 24, columns: 80 };

export function terminalSize(): TerminalSize {
  const { rows, columns } = process.stdout;
  // Some terminals say that they have no size at all.
  return { rows: rows || UNSEEN.rows, columns: columns || UNSEEN.columns };
}

/** Tells of the size now, and of each other one. */
export function followSize(tell: (size: TerminalSize) => void): void {
  if (!process.stdout.isTTY) return;
  tell(terminalSize());
  process.stdout.on('resize', () => tell(terminalSize()));
}

/**
 * Every key goes to the program in the guest, Ctrl-C too.
 *
 * @returns gives the terminal back as it was; it may be called again
 * @throws CliError `USAGE` where standard input is no terminal
 */
export function rawTerminal(): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) {
    throw new CliError('USAGE', 'standard input is no terminal', { hint: 'leave out -t, or -i' });
  }
  stdin.setRawMode(true);
  return () => stdin.setRawMode(false);
}
