// SPDX-License-Identifier: Apache-2.0
import type { MachineExit } from '../vmm/monitor.ts';

/**
 * How a guest ended that did not say how its program did. A kernel that panics or restarts the machine says so in its
 * log; a processor that finds no way to handle a fault (a "triple fault") resets the machine before anybody could.
 *
 * @param log the end of the kernel's log
 */
export function howItEnded(exit: MachineExit, log: string): string {
  if (exit.signal !== null) return `the monitor got ${exit.signal}`;
  const panic = /Kernel panic - not syncing: (.*)/.exec(log)?.[1];
  if (panic !== undefined) return `its kernel panicked: ${panic.trim().slice(0, 200)}`;
  if (/reboot: (Restarting system|Power down|System halted)/.test(log)) return 'something in it restarted the machine';
  return 'the processor reset the machine without a word of the kernel (a fault that nothing could handle)';
}
