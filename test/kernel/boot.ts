// SPDX-License-Identifier: Apache-2.0
// Boots a kernel by itself, without the node: QEMU's microvm in the emulator, entered by PVH, the log on the serial port.
import { type ChildProcessByStdio, type StdioOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';

export interface GuestRequest {
  vmlinux: string;
  initrd: string;
  cpus: number;
  memory?: string;
  /** More words for the kernel's command line. */
  append?: string;
  /** More of the monitor's arguments. */
  monitor?: readonly string[];
  /** It waits for a debugger before its first instruction. */
  debugged?: boolean;
  /** How long it may take, in milliseconds. Default: two minutes. */
  patience?: number;
}

export interface RunningGuest {
  /** What it wrote to its serial port. Fails if it does not end by itself in time. */
  readonly output: Promise<string>;
  /** Waits until the guest has written `text`. Fails if it ends without. */
  seen(text: string): Promise<void>;
  /** Where a debugger speaks with QEMU's stub. */
  readonly debugger: Duplex;
}

const PATIENCE_MS = 120_000;

/** All that can be known of the host's time stamp counter here, which is also the guest's in the emulator. */
function clockPresets(): string[] {
  const megahertz = Number(/^cpu MHz\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]);
  return megahertz > 0 ? [`tsc_early_khz=${Math.round(megahertz * 1000)}`, 'tsc=reliable'] : [];
}

/** A WARN() of the kernel's has this level, which `quiet` would not show. */
const WARNINGS = 'loglevel=5';

function argumentsOf({ vmlinux, initrd, cpus, memory = '128M', append = '', monitor = [] }: GuestRequest): string[] {
  const presets = [...clockPresets(), 'lapic_khz=1000000', 'no_timer_check'];
  if (cpus > 1) presets.push('apic_extnmi=all');
  const words = ['console=ttyS0', 'rdinit=/init', 'panic=-1', 'reboot=t', WARNINGS, ...presets, append];
  return [
    ...['-machine', 'microvm,acpi=off,rtc=on,auto-kernel-cmdline=on', '-accel', 'tcg', '-cpu', 'max,-erms,-fsrm'],
    ...['-smp', String(cpus), '-m', memory, '-kernel', vmlinux, '-initrd', initrd, '-append', words.join(' ')],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot', ...monitor],
  ];
}

/** QEMU gets one end of a pair of sockets as it starts, so nobody need know when it listens. */
const DEBUGGER = ['-S', '-chardev', 'socket,id=debugger,fd=3', '-gdb', 'chardev:debugger'];

/** Starts a guest. Whoever does must wait for its output, or ends it by the monitor. */
export function startGuest(request: GuestRequest): RunningGuest {
  const args = [...argumentsOf(request), ...(request.debugged ? DEBUGGER : [])];
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe'];
  const machine = spawn('qemu-system-x86_64', args, { stdio }) as ChildProcessByStdio<null, Readable, Readable>;
  const alarm = setTimeout(() => machine.kill('SIGKILL'), request.patience ?? PATIENCE_MS);
  let [stdout, stderr] = ['', ''];
  machine.stdout.setEncoding('latin1').on('data', (text: string) => {
    stdout += text;
  });
  machine.stderr.setEncoding('latin1').on('data', (text: string) => {
    stderr += text;
  });
  const output = new Promise<string>((resolve, reject) => {
    machine.on('error', reject);
    machine.on('close', (code) => {
      clearTimeout(alarm);
      if (code === 0) resolve(stdout);
      else reject(new Error(`the guest did not end by itself: ${stderr}\n${stdout}`));
    });
  });
  // Whoever waits for something else first hears of it there.
  output.catch(() => {});
  const seen = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!stdout.includes(text)) return;
        machine.stdout.off('data', look);
        resolve();
      };
      machine.stdout.on('data', look);
      const tooLate = () => reject(new Error(`the guest never wrote ${JSON.stringify(text)}: ${stderr}\n${stdout}`));
      output.then(tooLate, tooLate);
      look();
    });
  return { output, seen, debugger: machine.stdio[3] as unknown as Duplex };
}

/**
 * Runs a guest to its end.
 *
 * @returns what it wrote to its serial port
 * @throws if it does not end by itself
 */
export function bootGuest(request: GuestRequest): Promise<string> {
  return startGuest(request).output;
}
