// SPDX-License-Identifier: Apache-2.0

/**
 * Works through items, some at a time. The first failure ends it: no further item is begun, those under way are told
 * by their signal, and the failure is thrown when all of them have ended.
 */
export async function concurrently<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const either = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const queue = [...items];
  let first: { error: unknown } | undefined;
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined && !either.aborted; item = queue.shift()) {
      try {
        await work(item, either);
      } catch (error) {
        first ??= { error };
        failure.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, worker));
  if (first !== undefined) throw first.error;
  signal?.throwIfAborted();
}
