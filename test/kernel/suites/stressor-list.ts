// SPDX-License-Identifier: Apache-2.0
// The stressors of stress-ng that test/kernel/suites/stressors.ts runs one by one.
import { execFileSync } from 'node:child_process';
import type { PlannedTest } from './plan.ts';

/** stress-ng's classes that are about the kernel and not about the processor or a library. */
const CLASSES = ['os', 'scheduler', 'vm', 'filesystem', 'network'];

/** Not run: they want real hardware, kernel modules, or Android, or take processors away from the other stressors. */
const LEFT_OUT = new Set(['smi', 'softlockup', 'cpu-online', 'memhotplug', 'module', 'apparmor', 'binderfs']);

/** Those that do not pass in a guest, and why. */
export const EXCUSED: ReadonlyMap<string, string> = new Map([
  ['efivar', 'the guest has no EFI firmware'],
  ['pci', 'the guest has no PCI bus'],
  ['numa', 'it finds nodes in the line Mems_allowed of /proc/self/status, which needs CONFIG_CPUSETS'],
  ['io-uring', 'stress-ng 0.15 asks IORING_OP_STATX for a file that is not there; it fails on every kernel'],
]);

/** A stressor ends when it has finished what it is at. */
const TAIL_SECONDS = 40;

/** Names of all stressors that are run, sorted. @throws Error without stress-ng */
export function stressorNames(): string[] {
  const names = CLASSES.flatMap((name) => {
    const said = execFileSync('stress-ng', ['--class', `${name}?`], {
      ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    });
    return said
      .replace(/^.*stressors:/s, '')
      .trim()
      .split(/\s+/);
  });
  return [...new Set(names)].filter((name) => !LEFT_OUT.has(name)).sort();
}

export interface StressorOptions {
  /** How long each one runs. */
  seconds: number;
  /** What they write to. */
  folder: string;
  /** Whether stressors run that may end a machine. */
  pathological?: boolean;
}

export function stressorPlan(
  names: readonly string[],
  { seconds, folder, pathological = false }: StressorOptions,
): PlannedTest[] {
  const words = ['--verify', '--metrics-brief', '--no-rand-seed', '--timeout', `${seconds}s`, '--temp-path', folder];
  const more = pathological ? ['--pathological'] : [];
  return names.map((name) => ({
    ...{ name: `stress/${name}`, seconds: seconds + TAIL_SECONDS, folder },
    command: ['stress-ng', ...words, ...more, `--${name}`, '1'].join(' '),
  }));
}
