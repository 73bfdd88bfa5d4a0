// SPDX-License-Identifier: Apache-2.0
// Boots a kernel by itself, without the node: QEMU's microvm in the emulator, entered by PVH, the log on the serial port.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface GuestRequest {
  vmlinux: string;
  initrd: string;
  cpus: number;
  memory?: string;
  /** More words for the kernel's command line. */
  append?: string;
}

/** All that can be known of the host's time stamp counter here, which is also the guest's in the emulator. */
function clockPresets(): string[] {
  const megahertz = Number(/^cpu MHz\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]);
  return megahertz > 0 ? [`tsc_early_khz=${Math.round(megahertz * 1000)}`, 'tsc=reliable'] : [];
}

/**
 * Runs a guest to its end.
 *
 * @returns what it wrote to its serial port
 * @throws if it does not end by itself
 */
export function bootGuest({ vmlinux, initrd, cpus, memory = '128M', append = '' }: GuestRequest): Promise<string> {
  const presets = [...clockPresets(), 'lapic_khz=1000000', 'no_timer_check'];
  const words = ['console=ttyS0', 'rdinit=/init', 'panic=-1', 'reboot=t', 'quiet', ...presets, append];
  const args = [
    ...['-machine', 'microvm,acpi=off,rtc=on,auto-kernel-cmdline=on', '-accel', 'tcg', '-cpu', 'max,-erms,-fsrm'],
    ...['-smp', String(cpus), '-m', memory, '-kernel', vmlinux, '-initrd', initrd, '-append', words.join(' ')],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
  ];
  return new Promise((resolve, reject) => {
    execFile('qemu-system-x86_64', args, { timeout: 120_000, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`the guest did not end by itself: ${stderr}\n${stdout}`, { cause: error }));
    });
  });
}
