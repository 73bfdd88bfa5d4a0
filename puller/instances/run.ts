// SPDX-License-Identifier: Apache-2.0
import type { Bootable } from '../assemble/bootable.ts';
import { type Instance, type Outcome, startInstance } from './instance.ts';
import type { InstanceOptions } from './instance-options.ts';
import { endsMachine } from './signals/effects.ts';
import { forwardSignals, type SignalSource } from './signals/forward.ts';

/**
 * Boots an image in the foreground: this process's signals are the program's until it has ended. While there is no
 * machine yet, those that would end the program end the start.
 *
 * @param onInstance given the instance as soon as there is one
 * @param source of the signals; the process, but in tests
 * @throws PullerError as {@link startInstance} and {@link Instance.outcome}; an AbortError for a start that a signal
 *   has ended
 */
export async function runInstance(
  bootable: Bootable,
  options: InstanceOptions & { onInstance?: (instance: Instance) => void },
  source: SignalSource = process,
): Promise<Outcome> {
  const interrupted = new AbortController();
  // Without handlers a signal would end this process at once, and leave a monitor behind.
  let undo = forwardSignals(
    {
      signal: (number) => {
        if (endsMachine(number, 'booting')) interrupted.abort();
      },
      kill: () => interrupted.abort(),
    },
    source,
  );
  try {
    const signals = options.signal === undefined ? [] : [options.signal];
    const signal = AbortSignal.any([interrupted.signal, ...signals]);
    const instance = await startInstance(bootable, { ...options, signal });
    const undoStart = undo;
    undo = forwardSignals(instance, source);
    undoStart();
    options.onInstance?.(instance);
    return await instance.outcome;
  } finally {
    undo();
  }
}
