// SPDX-License-Identifier: Apache-2.0
import type { Session } from '../../context.ts';

/**
 * Does one thing to each of several instances. One that fails does not keep the others from theirs, as with container
 * engines; each failure is a line.
 *
 * @returns the status to exit with
 */
export async function forEach(
  session: Session,
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<number> {
  const done: string[] = [];
  let status = 0;
  for (const name of new Set(names)) {
    try {
      await work(name);
      done.push(name);
    } catch (error) {
      if (session.signal.aborted) throw error;
      status = session.output.failure(error);
    }
  }
  session.output.result(done, () => done.join('\n'));
  return status;
}
