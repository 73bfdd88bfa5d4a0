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
}

/** What a silent guest is: held by somebody here, alive after all, or given up. */
export type HangVerdict = 'held' | 'alive' | PullerError;

/** The kernel says what it has to say within some milliseconds of an NMI; it is given more on a busy host. */
const QUIET_MS = 300;
const QUIET_LIMIT_MS = 3_000;
const ANSWER_LIMIT_MS = 5_000;

/** Registers of more than these are shown in one line only. */
const PROCESSORS_IN_FULL = 4;

/** Looks at a guest that does not answer, puts what is seen into its log, and says what it is. */
export async function reportHang({ machine, log, alive, silentMs }: HangReportOptions): Promise<HangVerdict> {
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
    await within(machine.nonMaskableInterrupt());
    await quiet(log);
  }
  if (alive()) {
    log.add('[uk: the guest answers again]\n');
    return 'alive';
  }
  log.add('[uk: given up]\n');
  return hung(silentMs, processors ?? []);
}

function describe({ index, registers, interrupts, halted }: ProcessorState): string {
  const where = registers.application ? 'in the program' : 'in the kernel';
  const what = halted ? 'halted' : 'running';
  const address = registers.rip.toString(16);
  return `processor ${index} is ${what} ${where} at 0x${address}, interrupts ${interrupts ? 'on' : 'off'}`;
}

function hung(silentMs: number, processors: readonly ProcessorState[]): PullerError {
  const off = processors.find(({ interrupts }) => !interrupts);
  const where = off === undefined ? '' : `: ${describe(off)}`;
  return new PullerError('GUEST_UNRESPONSIVE', `the guest stopped answering (${silentMs / 1000} s)${where}`, {
    hint: 'the log above has its registers; --watchdog sets the time or turns this off',
  });
}

/** @returns undefined where it fails or takes too long: a report is made of what can be had */
function within<T>(work: Promise<T>): Promise<T | undefined> {
  return Promise.race([work.catch(() => undefined), delay(ANSWER_LIMIT_MS, undefined, { ref: false })]);
}

async function quiet(log: LogTail): Promise<void> {
  const end = performance.now() + QUIET_LIMIT_MS;
  let before: number;
  do {
    before = log.seen;
    await delay(QUIET_MS, undefined, { ref: false });
  } while (log.seen !== before && performance.now() < end);
}
