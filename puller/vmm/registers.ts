// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { PullerError } from '../errors.ts';
import type { Machine } from './monitor.ts';

/** A processor of the guest at one moment, as the monitor sees it from outside. */
export interface RegisterSample {
  /** Current privilege level. */
  cpl: number;
  /** Code segment selector. */
  cs: number;
  /** Instruction pointer. */
  rip: bigint;
  /** Whether that instruction is the application's: it lies in the lower half of the address space. */
  application: boolean;
}

export interface SampleOptions {
  /** How long to look. Default: 5 s. */
  timeoutMs?: number;
  /** Pause between two looks. Default: 2 ms. */
  intervalMs?: number;
  signal?: AbortSignal | undefined;
}

/** Reads what QEMU's `info registers` prints of one processor. @throws PullerError `MONITOR_FAILED` */
export function parseRegisters(text: string): RegisterSample {
  const sample = sampleOf(text);
  if (sample !== undefined) return sample;
  throw new PullerError('MONITOR_FAILED', 'the monitor does not show the registers of a 64-bit processor');
}

function sampleOf(text: string): RegisterSample | undefined {
  const rip = /\bRIP=([0-9a-f]{16})\b/i.exec(text)?.[1];
  const cpl = /\bCPL=([0-3])\b/.exec(text)?.[1];
  const cs = /\bCS =([0-9a-f]{4})\b/i.exec(text)?.[1];
  if (rip === undefined || cpl === undefined || cs === undefined) return undefined;
  const address = BigInt(`0x${rip}`);
  return { cpl: Number(cpl), cs: Number.parseInt(cs, 16), rip: address, application: address >> 63n === 0n };
}

/** One of several processors. */
export interface ProcessorState {
  index: number;
  /** undefined of one that is not in 64-bit mode: it has not been started. */
  registers: RegisterSample | undefined;
  /** Whether it takes interrupts. */
  interrupts: boolean;
  /** Whether it waits for one. */
  halted: boolean;
  /** As the monitor wrote it, without the registers of the floating-point unit. */
  text: string;
}

/** Reads what QEMU's `info registers -a` prints. */
export function parseProcessors(text: string): ProcessorState[] {
  return text
    .replaceAll('\r', '')
    .split(/^CPU#(?=[0-9]+$)/m)
    .slice(1)
    .map((part) => {
      const index = Number.parseInt(part, 10);
      const flags = Number.parseInt(/\bRFL=([0-9a-f]{8})\b/i.exec(part)?.[1] ?? '0', 16);
      const lines = part.split('\n').slice(1);
      const end = lines.findIndex((line) => /^(FCW|FPR0|XMM00|YMM00)=/.test(line));
      return {
        index,
        registers: sampleOf(part),
        interrupts: (flags & INTERRUPT_FLAG) !== 0,
        halted: /\bHLT=1\b/.test(part),
        text: lines
          .slice(0, end < 0 ? undefined : end)
          .join('\n')
          .trim(),
      };
    });
}

const INTERRUPT_FLAG = 0x200;

/**
 * Looks at the first processor again and again, until it is seen in the application or the time is over. With a
 * program that works, the last sample shows at which privilege level it really runs.
 *
 * @throws PullerError `MONITOR_FAILED`
 */
export async function sampleRegisters(
  machine: Pick<Machine, 'command'>,
  { timeoutMs = 5_000, intervalMs = 2, signal }: SampleOptions = {},
): Promise<RegisterSample[]> {
  const samples: RegisterSample[] = [];
  const end = performance.now() + timeoutMs;
  do {
    signal?.throwIfAborted();
    const sample = parseRegisters(await machine.command('info registers'));
    samples.push(sample);
    if (sample.application) break;
    await delay(intervalMs);
  } while (performance.now() < end);
  return samples;
}
