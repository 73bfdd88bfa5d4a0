// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { PullerError } from '../errors.ts';
import type { Machine } from '../vmm/monitor.ts';
import { type ProcessorState, parseProcessors } from '../vmm/registers.ts';
import type { LogTail } from './streams.ts';

export interface HangReportOptions {
  machine: Pick<Machine, 'held' | 'registers' | 'nonMaskableInterrupt'>;
  /** Where the report goes: the end of the kernel's log. */
  log: LogTail;
  /** Whether the guest has answered after all. */
  alive(): boolean;
  silentMs: number;
  /** How long the guest has to come back once its processor was interrupted, in milliseconds. Default: 3 s. */
  revivalMs?: number;
}

/** What a silent guest is: held by somebody here, alive after all, alive again and what it had been, or given up. */
export type HangVerdict = 'held' | 'alive' | { revived: string } | PullerError;

/** The kernel says what it has to say within some milliseconds of an NMI, and goes on if it can; more on a busy host. */
const REVIVAL_LIMIT_MS = 3_000;
const LOOK_MS = 50;
const ANSWER_LIMIT_MS = 5_000;

/** Registers of more than these are shown in one line only. */
const PROCESSORS_IN_FULL = 4;

/** Looks at a guest that does not answer, puts what is seen into its log, and says what it is. */
export async function reportHang(options: HangReportOptions): Promise<HangVerdict> {
  const { machine, log, alive, silentMs, revivalMs = REVIVAL_LIMIT_MS } = options;
  if (await machine.held()) return 'held';
  const processors = await within(machine.registers().then(parseProcessors));
  if (alive()) return 'alive';
  log.add(`\n[uk: the guest has not answered for ${silentMs / 1000} s]\n`);
  for (const [index, processor] of (processors ?? []).entries()) {
    log.add(`[uk: ${describe(processor)}]\n${index < PROCESSORS_IN_FULL ? `${processor.text}\n` : ''}`);
  }
  if (processors === undefined) log.add('[uk: its monitor does not answer either]\n');
  else {
    log.add('[uk: a non-maskable interrupt asks its kernel]\n');
    // The second one makes a kernel that has kept interrupts off since the first one say where, and end.
    for (let asked = 0; asked < 2 && !alive(); asked++) {
      await within(machine.nonMaskableInterrupt());
      const limit = performance.now() + revivalMs;
      while (!alive() && performance.now() < limit) await delay(LOOK_MS, undefined, { ref: false });
    }
  }
  if (alive()) {
    log.add('[uk: the guest answers again]\n');
    return { revived: `the guest had stopped answering${culprit(processors ?? [])}` };
  }
  log.add('[uk: given up]\n');
  return hung(silentMs, processors ?? []);
}

function describe({ index, registers, interrupts, halted }: ProcessorState): string {
  if (registers === undefined) return `processor ${index} has not been started`;
  const where = registers.application ? 'in the program' : 'in the kernel';
  const what = halted ? 'halted' : 'running';
  const address = registers.rip.toString(16);
  return `processor ${index} is ${what} ${where} at 0x${address}, interrupts ${interrupts ? 'on' : 'off'}`;
}

function hung(silentMs: number, processors: readonly ProcessorState[]): PullerError {
  return new PullerError(
    'GUEST_UNRESPONSIVE',
    `the guest stopped answering (${silentMs / 1000} s)${culprit(processors)}`,
    {
      hint: 'the log above has its registers; --watchdog sets the time or turns this off',
    },
  );
}

/** The kernel has interrupts off now and then, a program hardly ever: that one comes first. */
function culprit(processors: readonly ProcessorState[]): string {
  const deaf = processors.filter(({ registers, interrupts }) => registers !== undefined && !interrupts);
  const off = deaf.find(({ registers }) => registers?.application) ?? deaf[0];
  return off === undefined ? '' : `: ${describe(off)}`;
}

/** @returns undefined where it fails or takes too long: a report is made of what can be had */
function within<T>(work: Promise<T>): Promise<T | undefined> {
  return Promise.race([work.catch(() => undefined), delay(ANSWER_LIMIT_MS, undefined, { ref: false })]);
}
