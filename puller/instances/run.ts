// SPDX-License-Identifier: Apache-2.0
import type { Bootable } from '../assemble/bootable.ts';
import { type Instance, type InstanceOptions, type Outcome, startInstance } from './instance.ts';
import { forwardSignals } from './signals.ts';

/**
 * Boots an image in the foreground: this process's signals are the program's until it has ended.
 *
 * @param onInstance given the instance as soon as there is one
 * @throws PullerError as {@link startInstance} and {@link Instance.outcome}
 */
export async function runInstance(
  bootable: Bootable,
  options: InstanceOptions & { onInstance?: (instance: Instance) => void },
): Promise<Outcome> {
  const instance = await startInstance(bootable, options);
  const undo = forwardSignals(instance);
  try {
    options.onInstance?.(instance);
    return await instance.outcome;
  } finally {
    undo();
  }
}
