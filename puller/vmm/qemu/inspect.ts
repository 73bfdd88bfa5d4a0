// SPDX-License-Identifier: Apache-2.0
// A look at a machine from outside, by QEMU's console.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

type Command = (line: string) => Promise<string>;

/** QEMU answers in well under a millisecond, but for a host that swaps. */
const ANSWER_LIMIT_MS = 3_000;

/** States in which a machine stands because somebody on this side wants it to (QEMU, qapi/run-state.json). */
const HELD: ReadonlySet<string> = new Set([
  ...['paused', 'debug', 'prelaunch', 'inmigrate', 'postmigrate', 'finish-migrate', 'restore-vm', 'save-vm'],
]);

export async function isHeld(pid: number, command: Command): Promise<boolean> {
  if (await isStopped(pid)) return true;
  const answer = await Promise.race([
    command('info status').catch(() => ''),
    delay(ANSWER_LIMIT_MS, '', { ref: false }),
  ]);
  // It may have been stopped between the two.
  return isHeldStatus(answer) || (answer === '' && (await isStopped(pid)));
}

/** @param text "VM status: running", "VM status: paused", "VM status: paused (internal-error)" */
export function isHeldStatus(text: string): boolean {
  const [, status = '', reason] = /^VM status: (\S+)(?: \((\S+)\))?/m.exec(text) ?? [];
  return status !== 'running' && HELD.has(reason ?? status);
}

/** By a signal or a tracer: state T or t (proc(5), /proc/pid/stat). */
async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The name before it may hold anything, parentheses too.
  return /^[Tt]$/.test(stat.slice(stat.lastIndexOf(')') + 2).split(' ', 1)[0] ?? '');
}

/** In the emulator the registers of a processor that runs are those of some moments ago: it is stopped first. */
export async function registersOf(command: Command): Promise<string> {
  await command('stop');
  try {
    return (await command('info registers -a')).replaceAll('\r', '');
  } finally {
    await command('cont');
  }
}
