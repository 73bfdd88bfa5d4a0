// SPDX-License-Identifier: Apache-2.0

/**
 * Waits for work no longer than that; the work goes on, and whoever asks later finds what it has come to.
 *
 * @param ms milliseconds; undefined: until it is done
 * @returns undefined where it takes longer
 */
export async function within<T>(ms: number | undefined, work: Promise<T>): Promise<T | undefined> {
  if (ms === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(ms, 0));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // A failure that comes later is met by the next who asks.
    work.catch(() => undefined);
  }
}
