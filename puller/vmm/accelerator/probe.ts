// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlChannel } from '../../guest-contract/control-channel.ts';
import type { Accelerator, Machine, MachineSpec, Monitor } from '../monitor.ts';

/** A probe guest is a kernel with its built-in init and nothing else. */
export interface ProbeSubject {
  machine: MachineSpec['machine'];
  kernel: string;
}

const PROBE_MEMORY = 128 * 1024 ** 2;

/** Boots a probe guest and does something with it once its init has said hello. An abort kills it, and is thrown. */
async function withProbe<T>(
  monitor: Monitor,
  subject: ProbeSubject,
  accelerator: Accelerator,
  limitMs: number,
  work: (control: ControlChannel) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | { problem: string }> {
  const spec: MachineSpec = {
    ...subject,
    memory: PROBE_MEMORY,
    cpus: 1,
    accelerator,
    forwards: [],
    verbose: false,
  };
  signal?.throwIfAborted();
  let machine: Machine;
  try {
    machine = await monitor.start(spec);
  } catch (error) {
    return { problem: (error as Error).message };
  }
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal?.reason);
  try {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort, { once: true });
    for (const unread of [machine.log, machine.stdout, machine.stderr]) unread.resume();
    const control = new ControlChannel(machine.control);
    control.on('error', () => {});
    const answer = once(control, 'hello').then(() => work(control));
    answer.catch(() => {});
    const ended = machine.exited.then((exit) => ({ problem: monitor.explainExit(spec, exit).message }));
    const problem = `a guest did not come up within ${limitMs / 1000} s`;
    return await Promise.race([answer, ended, aborted.promise, delay(limitMs, { problem }, { ref: false })]);
  } finally {
    signal?.removeEventListener('abort', abort);
    machine.kill();
    await machine.exited;
  }
}

/** Whether a guest really runs under KVM: the device alone proves nothing. @returns what is wrong, or undefined */
export async function probeKvm(
  monitor: Monitor,
  subject: ProbeSubject,
  limitMs: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const result = await withProbe(monitor, subject, { kind: 'kvm' }, limitMs, async () => undefined, signal);
  return result?.problem;
}

export interface Frequency {
  khz: number;
  /** How far off it may be, at most, in millionths. */
  errorPpm: number;
}

/** One look at both clocks: the guest's counter was read somewhere between `before` and `after`. */
export interface Reading {
  tsc: bigint;
  /** Nanoseconds. */
  before: bigint;
  after: bigint;
}

/**
 * Measures the frequency of a TCG guest's time stamp counter, which is the host's: no file of Linux says it to the
 * bit, and this process cannot read it itself. The guest is asked for its counter twice; the quickest of several
 * answers bounds how far off each reading can be, and the readings lie far enough apart to make that small.
 */
export async function measureTsc(
  monitor: Monitor,
  subject: ProbeSubject,
  guessKhz: number,
  limitMs: number,
  signal?: AbortSignal,
): Promise<Frequency | { problem: string }> {
  return withProbe(
    monitor,
    subject,
    { kind: 'tcg', tscKhz: guessKhz },
    limitMs,
    async (control) => {
      const first = await bestReading(control);
      let result: Frequency;
      let rounds = 0;
      do {
        await delay(SPACING_MS);
        result = frequencyOf(first, await bestReading(control));
        rounds++;
      } while (result.errorPpm > GOOD_PPM && rounds < ROUNDS_MAX);
      return result;
    },
    signal,
  );
}

const SPACING_MS = 400;
const GOOD_PPM = 250;
const ROUNDS_MAX = 5;
const READINGS = 12;

async function bestReading(control: ControlChannel): Promise<Reading> {
  let best: Reading | undefined;
  for (let i = 0; i < READINGS; i++) {
    const answered = once(control, 'pong') as Promise<[{ tsc: bigint }]>;
    const before = process.hrtime.bigint();
    control.ping(String(i));
    const [{ tsc }] = await answered;
    const after = process.hrtime.bigint();
    if (best === undefined || after - before < best.after - best.before) best = { tsc, before, after };
  }
  // READINGS is above zero.
  return best as Reading;
}

/** The middle of what the two readings allow, and how wide that is. */
export function frequencyOf(first: Reading, second: Reading): Frequency {
  const ticks = Number(second.tsc - first.tsc);
  const shortest = Number(second.before - first.after);
  const longest = Number(second.after - first.before);
  const middle = (shortest + longest) / 2;
  return {
    khz: Math.round((ticks / middle) * 1e6),
    errorPpm: Math.ceil(((longest - shortest) / 2 / middle) * 1e6),
  };
}
