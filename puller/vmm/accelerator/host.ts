// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { bootId } from '../../../image-format/layout/process-start.ts';

/** What of this machine decides how guests run on it. */
export interface HostProcessor {
  model: string;
  /** kHz as the kernel shows it now: a first guess, not the time stamp counter's frequency. */
  guessKhz: number | undefined;
  /** Whether the time stamp counter runs at one frequency, whatever the processor does. */
  steadyTsc: boolean;
}

const CPUINFO = '/proc/cpuinfo';

/** Only the first processor: on a large machine the whole file takes the kernel long to write. */
export function hostProcessor(): HostProcessor {
  const text = readStart(CPUINFO, 8192);
  const field = (name: string): string => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? '';
  const megahertz = Number(field('cpu MHz'));
  const flags = new Set(field('flags').split(' '));
  return {
    model: field('model name'),
    guessKhz: megahertz > 0 ? Math.round(megahertz * 1000) : undefined,
    steadyTsc: flags.has('constant_tsc') && flags.has('nonstop_tsc'),
  };
}

function readStart(path: string, bytes: number): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const buffer = Buffer.alloc(bytes);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer));
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Why /dev/kvm cannot even be tried; undefined where it can. */
export function kvmDeviceProblem(): string | undefined {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'there is no /dev/kvm'
      : 'this user may not open /dev/kvm (add it to the group kvm)';
  }
}

/**
 * Names everything that a verdict about the accelerators depends on: another kernel, another start of it (settings of
 * the hypervisor below, the measured frequency), another QEMU or another processor need another verdict.
 */
export function hostKey(monitor: string, processor: HostProcessor): string {
  const { size, mtimeMs } = statSync(monitor);
  const parts = [release(), bootId(), realpathSync(monitor), size, mtimeMs, processor.model];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}
