// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../hardware-profiles/index.ts';
import { PullerError } from '../errors.ts';
import type { Monitor } from './monitor.ts';
import { qemuBinary } from './qemu/binary.ts';
import { qemu } from './qemu/driver.ts';
import { checkMachine } from './qemu/machine.ts';

/**
 * The driver for a profile, and the monitor's executable.
 *
 * @throws PullerError `IMAGE_UNSUPPORTED`, `MONITOR_MISSING`
 */
export function monitorFor(profile: Pick<Profile, 'name' | 'monitor' | 'machine'>): { monitor: Monitor; file: string } {
  if (profile.monitor === qemu.name && profile.machine.type === 'microvm') {
    checkMachine(profile.machine);
    return { monitor: qemu, file: qemuBinary() };
  }
  throw new PullerError(
    'IMAGE_UNSUPPORTED',
    `the image is for ${profile.monitor} ${profile.machine.type} (profile ${profile.name}), which this node cannot run`,
    { hint: 'build it with --profile qemu-microvm' },
  );
}
