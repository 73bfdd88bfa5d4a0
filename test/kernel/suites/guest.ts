// SPDX-License-Identifier: Apache-2.0
// Carries out a plan in guests: in one, and where that does not come to the end, in another one for the rest.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatPlan, type PlannedTest } from './plan.ts';
import { complaints, parseStream, type TestResult } from './results.ts';
import { withPlan } from './root.ts';

export interface Machine {
  readonly vmlinux: string;
  /** Root of the guest, without a plan. */
  readonly archive: string;
  readonly cpus: number;
  readonly memory: string;
  /** An ext4 file system for the guest to write to; its kernel must have disks. */
  readonly disk?: string | undefined;
  /** More words for the kernel's command line. */
  readonly append?: string | undefined;
}

export interface Run {
  readonly results: readonly TestResult[];
  /** What kernels complained of, each with the test that was running. */
  readonly complaints: readonly { readonly test: string; readonly line: string }[];
  readonly trouble: readonly string[];
  readonly guests: number;
  /** Guests that the emulator has spoilt: {@link EMULATOR_FAULT}. */
  readonly spoilt: number;
}

export interface RunOptions {
  /** A folder for logs; they stay. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly onResult?: ((result: TestResult, done: number, total: number) => void) | undefined;
}

/** How long a guest may take to start, and after a test's time is over to say so, before it counts as hanging. */
const START_SECONDS = 90;
const GRACE_SECONDS = 30;
const LOOK_MS = 500;
/**
 * Believed, not proven: QEMU before 8.1 may run an int3 that the kernel, while it changes its own code, has already taken away again, when two
 * processors run at once in the emulator. No kernel survives that; the guest is started again, the test not counted.
 */
const EMULATOR_FAULT = /Oops: int3: 0000/;
const MOST_FAULTS = 20;

/** @throws the signal's reason; an error where a guest does not even start */
export async function runPlan(machine: Machine, plan: readonly PlannedTest[], options: RunOptions): Promise<Run> {
  const { folder, onResult } = options;
  await mkdir(folder, { recursive: true });
  const results: TestResult[] = [];
  const told: Run['complaints'][number][] = [];
  const trouble: string[] = [];
  let guests = 0;
  let spoilt = 0;
  for (let rest = plan; rest.length > 0; guests++) {
    const before = results.length;
    const onMore = (result: TestResult) => {
      results.push(result);
      onResult?.(result, results.length, plan.length);
    };
    const { log, more, fault } = await oneGuest(machine, rest, join(folder, `guest-${guests}`), options, onMore);
    if (fault && ++spoilt < MOST_FAULTS) {
      rest = plan.slice(results.length);
      continue;
    }
    told.push(...attribute(log));
    trouble.push(...more);
    if (results.length === before) throw new Error(`the guest does not start:\n${log.slice(-4000)}`);
    rest = plan.slice(results.length);
  }
  return { results, complaints: told, trouble, guests, spoilt };
}

/** Which test was running when the kernel complained: the runner writes names into its log. */
export function attribute(log: string): { test: string; line: string }[] {
  const parts = log.split(/uk-suites: /);
  return parts.flatMap((part, index) => {
    const test = index === 0 ? 'start' : part.slice(0, part.search(/\r?\n|$/));
    return complaints(part).map((line) => ({ test, line: line.trim() }));
  });
}

async function oneGuest(
  machine: Machine,
  plan: readonly PlannedTest[],
  folder: string,
  { signal }: RunOptions,
  onMore: (result: TestResult) => void,
): Promise<{ log: string; more: string[]; fault: boolean }> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const file = (name: string) => join(folder, name);
  await writeFile(file('plan'), formatPlan(plan));
  await withPlan(machine.archive, file('plan'), file('initrd'));
  const child = spawn('qemu-system-x86_64', qemuArguments(machine, folder), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? '' : `qemu ended with ${code}: ${said}`));
  });

  let known = 0;
  let since = Date.now();
  let length = -1;
  let started = false;
  let why = 'the guest ended in the middle of it';
  let over: string | undefined;
  // An ended guest is looked at once more.
  for (let last = false; !last; ) {
    over = await Promise.race([ended, sleep(LOOK_MS).then(() => undefined)]);
    last = over !== undefined;
    const text = (await readFile(file('results'), 'latin1').catch(() => '')).replaceAll('\r', '');
    if (text.length !== length || last) {
      length = text.length;
      const stream = parseStream(text);
      for (const result of stream.results.slice(known)) onMore(result);
      if (stream.results.length > known) since = Date.now();
      known = stream.results.length;
      started ||= stream.open !== undefined || known > 0;
    }
    const seconds = (plan[known]?.seconds ?? 0) + (started ? GRACE_SECONDS : START_SECONDS);
    if (!last && (signal?.aborted === true || Date.now() - since > seconds * 1000)) {
      why = `the guest does not go on after ${seconds} s`;
      child.kill('SIGKILL');
    }
  }
  await rm(file('initrd'));
  signal?.throwIfAborted();

  const log = await readFile(file('log'), 'latin1').catch(() => said);
  const stream = parseStream((await readFile(file('results'), 'latin1').catch(() => '')).replaceAll('\r', ''));
  const more = [...stream.trouble, ...(over ? [over] : [])];
  const fault = EMULATOR_FAULT.test(log);
  if (fault) return { log, more, fault };
  const cut = plan[known];
  const stuck = stream.results.at(-1)?.ending.endsWith('stuck') === true;
  if (cut !== undefined && !stuck && stream.open !== undefined) {
    const panic = /Kernel panic[^\r\n]*/.exec(log)?.[0];
    const ending = panic ?? why;
    const output = stream.open.output;
    onMore({ name: cut.name, outcome: 'fail', ending, milliseconds: 0, cases: {}, output });
  }
  return { log, more, fault };
}

function qemuArguments({ vmlinux, cpus, memory, disk, append = '' }: Machine, folder: string): string[] {
  const megahertz = Number(/^cpu MHz\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]);
  const clock = megahertz > 0 ? [`tsc_early_khz=${Math.round(megahertz * 1000)}`, 'tsc=reliable'] : [];
  const presets = [...clock, 'lapic_khz=1000000', 'no_timer_check'];
  const words = ['console=ttyS0', 'rdinit=/init', 'panic=-1', 'reboot=t', 'loglevel=5', ...presets, append];
  return [
    ...['-machine', 'microvm,acpi=off,rtc=on,auto-kernel-cmdline=on', '-accel', 'tcg', '-cpu', 'max,-erms,-fsrm'],
    ...['-smp', String(cpus), '-m', memory, '-kernel', vmlinux, '-initrd', join(folder, 'initrd')],
    ...['-append', words.join(' '), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-serial', `file:${join(folder, 'log')}`],
    ...['-device', 'virtio-serial-device', '-chardev', `file,id=results,path=${join(folder, 'results')}`],
    ...['-device', 'virtserialport,chardev=results,name=results'],
    ...['-device', 'virtio-rng-device', '-netdev', 'user,id=net', '-device', 'virtio-net-device,netdev=net'],
    ...(disk === undefined
      ? []
      : ['-drive', `id=disk,if=none,format=raw,file=${disk}`, '-device', 'virtio-blk-device,drive=disk']),
  ];
}
