// SPDX-License-Identifier: Apache-2.0
import { findProgram } from './binary.ts';

let setpriv: string | null | undefined;

/** Goes before a command that the kernel is to kill with this process; nothing where util-linux is missing. */
export function parentDeathSignal(): string[] {
  setpriv ??= findProgram('setpriv') ?? null;
  return setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
}
