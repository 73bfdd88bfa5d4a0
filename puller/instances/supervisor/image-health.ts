// SPDX-License-Identifier: Apache-2.0
import type { HealthCheck } from '../state/config.ts';

const NANOSECONDS = 1_000_000;
const DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, retries: 3 };

/** The longest that Node's timers can wait. */
const TIME_MAX_MS = 2 ** 31 - 1;

/**
 * The health check that an image brings: `Healthcheck` of its config, a field of Docker's. What has another form than
 * Docker writes is no check; an image cannot keep an instance from running by it.
 */
export function imageHealth(config: Readonly<Record<string, unknown>>): HealthCheck | undefined {
  const { Healthcheck: given } = config;
  if (typeof given !== 'object' || given === null) return undefined;
  const { Test, Interval, Timeout, StartPeriod, Retries } = given as Partial<Record<string, unknown>>;
  const args = commandOf(Test);
  if (args === undefined) return undefined;
  return {
    probe: { kind: 'command', args },
    intervalMs: timeOf(Interval) ?? DEFAULTS.intervalMs,
    timeoutMs: timeOf(Timeout) ?? DEFAULTS.timeoutMs,
    startPeriodMs: timeOf(StartPeriod) ?? DEFAULTS.startPeriodMs,
    retries: typeof Retries === 'number' && Number.isSafeInteger(Retries) && Retries > 0 ? Retries : DEFAULTS.retries,
  };
}

function commandOf(test: unknown): string[] | undefined {
  if (!Array.isArray(test) || !test.every((word) => typeof word === 'string')) return undefined;
  const [how, ...words] = test as string[];
  if (words.length === 0 || words.some((word) => word.includes('\0'))) return undefined;
  if (how === 'CMD') return words;
  return how === 'CMD-SHELL' ? shellCommand(words.join(' ')) : undefined;
}

/** A command line as container engines run it. */
export function shellCommand(line: string): string[] {
  return ['/bin/sh', '-c', line];
}

/** Nanoseconds; nothing and zero mean the default. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= NANOSECONDS)) return undefined;
  return Math.min(Math.floor(value / NANOSECONDS), TIME_MAX_MS);
}
