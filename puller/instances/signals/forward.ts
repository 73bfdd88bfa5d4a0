// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import type { Instance } from '../instance.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;

/** Where signals come from; the process, but in tests. */
export type SignalSource = Pick<NodeJS.Process, 'on' | 'off'>;

/**
 * Passes this process's signals on to the program in the guest, as container engines do. Who presses Ctrl-C a second
 * time means it: the machine ends at once.
 *
 * @returns undoes it
 */
export function forwardSignals(
  instance: Pick<Instance, 'signal' | 'kill'>,
  source: SignalSource = process,
): () => void {
  let interrupted = false;
  const handlers = FORWARDED.map((name) => {
    const handler = (): void => {
      if (name === 'SIGINT' && interrupted) instance.kill();
      else instance.signal(constants.signals[name]);
      interrupted ||= name === 'SIGINT';
    };
    source.on(name, handler);
    return () => source.off(name, handler);
  });
  return () => {
    for (const undo of handlers) undo();
  };
}
