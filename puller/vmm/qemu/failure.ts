// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../../errors.ts';
import type { MachineExit, MachineSpec } from '../monitor.ts';
import { INSTALL_HINT, QEMU_MINIMUM } from './binary.ts';

/** Turns what QEMU said as it ended before its time into one line of ours. */
export function explainQemuExit(spec: MachineSpec, { code, signal, complaint }: MachineExit): PullerError {
  const said = lastComplaint(complaint);
  const forward = /Could not set up host forwarding rule '(\w+):([^:]*):(\d+)-/.exec(complaint);
  if (forward !== null) {
    const [, protocol, address, port] = forward;
    return new PullerError('PORT_IN_USE', `cannot listen at ${address}:${port} (${protocol}): it is in use`, {
      hint: 'forward another port, or stop what listens there',
    });
  }
  const locked = /Failed to get "[a-z ]+" lock/.test(complaint);
  if (locked) {
    return new PullerError('VOLUME_IN_USE', 'a volume is in use by another guest', {
      hint: 'uk volume ls shows which; end that guest, or use the volume with :ro in both',
    });
  }
  if (/cannot set up guest memory|Cannot allocate memory/i.test(complaint)) {
    const mebibytes = Math.ceil(spec.memory / 1024 ** 2);
    return new PullerError('MONITOR_FAILED', `this machine has no ${mebibytes} MiB of memory for the guest`, {
      hint: 'give the guest less memory (-m), or free some',
    });
  }
  if (/Could not access KVM|failed to initialize kvm|KVM is not available/i.test(complaint)) {
    return new PullerError('OPTION_UNSUPPORTED', `no KVM on this machine: ${said}`, {
      hint: 'run it with --accel tcg, or let uk choose (--accel auto)',
    });
  }
  if (
    /unsupported machine type|Error loading uncompressed kernel|not a valid option|Property .* not found/i.test(
      complaint,
    )
  ) {
    return new PullerError('MONITOR_MISSING', `this QEMU cannot run the image's machine: ${said}`, {
      hint: `QEMU ${QEMU_MINIMUM.major}.${QEMU_MINIMUM.minor} or newer is needed: ${INSTALL_HINT}`,
    });
  }
  const how = signal === null ? `exit status ${code}` : signal;
  return new PullerError('MONITOR_FAILED', `the monitor ended by itself (${how})${said === '' ? '' : `: ${said}`}`, {
    hint: 'uk doctor says what this machine can do',
  });
}

/** The last line that is not a warning: QEMU says its fatal error last. */
function lastComplaint(complaint: string): string {
  const lines = complaint.split('\n').filter((line) => line !== '' && !/\bwarning:/.test(line));
  return (lines.at(-1) ?? '').replace(/^\S*qemu-system-\S*: /, '');
}
