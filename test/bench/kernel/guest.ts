// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostProcessor } from '../../../puller/vmm/accelerator/host.ts';
import { kernelCommandLine } from '../../../puller/vmm/qemu/arguments.ts';
import type { Contestant } from './contestants.ts';

export interface GuestRequest {
  kernel: Contestant;
  initrd: string;
  cpus?: number;
  /** MiB. */
  memory?: number;
  /**
   * One instruction is one nanosecond of the guest's time, and time in which it would only wait is skipped. One processor
   * runs at a time.
   */
  countInstructions?: boolean;
  /** A plugin of QEMU's. */
  plugin?: string;
  /** What the guest is expected to write; its time is taken. */
  marker?: string;
  timeoutMs?: number;
}

export interface GuestRun {
  /** All that the guest wrote to its serial port, and QEMU to its standard error. */
  text: string;
  /** From the start of QEMU to the marker, milliseconds; NaN where it never came. */
  output: number;
  /** To QEMU's end. */
  exit: number;
}

const running = new Set<number>();

/** For who ends this program before its time. */
export function killGuests(): void {
  for (const pid of running) process.kill(pid, 'SIGKILL');
}

/** QEMU's emulator has the host's time stamp counter, but under -icount one of 1 GHz. kHz. */
export function tscKhz(countInstructions: boolean): number {
  if (countInstructions) return 1_000_000;
  const khz = hostProcessor().guessKhz;
  if (khz === undefined) throw new Error('/proc/cpuinfo does not say the frequency of the processor');
  return khz;
}

/** The least machine: the serial port, and nothing else that a program would need. */
function machineArguments(request: GuestRequest): string[] {
  const { kernel, initrd, cpus = 1, memory = 128, countInstructions = false, plugin } = request;
  const timers = kernel.presets ? 'off' : 'on';
  return [
    ...['-M', `microvm,acpi=off,rtc=on,auto-kernel-cmdline=on,x-option-roms=off,pit=${timers},pic=${timers}`],
    ...['-accel', 'tcg', '-cpu', 'max,-erms,-fsrm', '-smp', String(cpus), '-m', `${memory}M`],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...(countInstructions ? ['-icount', 'shift=0,sleep=off'] : []),
    ...(plugin === undefined ? [] : ['-plugin', plugin]),
    ...['-kernel', kernel.path, '-initrd', initrd, '-append', commandLine(request)],
  ];
}

/** With presets it is the node's own, but for the program. */
function commandLine({ kernel, cpus = 1, memory = 128, countInstructions = false }: GuestRequest): string {
  const plain = 'console=ttyS0 quiet rdinit=/init panic=-1 reboot=t';
  if (!kernel.presets) return plain;
  return kernelCommandLine({
    machine: { type: 'microvm', options: {} },
    kernel: kernel.path,
    memory: memory * 1024 ** 2,
    cpus,
    accelerator: { kind: 'tcg', tscKhz: tscKhz(countInstructions) },
    // CONFIG_HZ of config/base.config
    hz: 100,
    forwards: [],
    verbose: false,
  }).replace(/rdinit=\S+/, 'rdinit=/init');
}

/** Runs a guest to its end. @throws Error if it does not end by itself in time */
export async function runGuest(request: GuestRequest): Promise<GuestRun> {
  const { marker, timeoutMs = 180_000 } = request;
  const begin = performance.now();
  const child = spawn('qemu-system-x86_64', machineArguments(request), { stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid !== undefined) running.add(child.pid);
  let text = '';
  let output = Number.NaN;
  const read = (chunk: unknown): void => {
    text += String(chunk);
    if (marker !== undefined && Number.isNaN(output) && text.includes(marker)) output = performance.now() - begin;
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  await once(child, 'close');
  clearTimeout(timer);
  if (child.pid !== undefined) running.delete(child.pid);
  const exit = performance.now() - begin;
  if (late) throw new Error(`${request.kernel.name}: no end after ${timeoutMs / 1000} s: ${text.slice(-500)}`);
  return { text, output, exit };
}

/** As {@link runGuest}, of which all lines that begin with a word are wanted, without it. @throws Error without any */
export async function linesOf(request: GuestRequest, word: string): Promise<string[]> {
  const { text } = await runGuest(request);
  const found = text
    .split(/\r?\n/)
    .flatMap((line) => (line.startsWith(`${word}: `) ? [line.slice(word.length + 2)] : []));
  if (found.length === 0) throw new Error(`${request.kernel.name}: no "${word}:" in ${text.slice(-1000)}`);
  return found;
}
