// SPDX-License-Identifier: Apache-2.0

/** Works through items, at most `width` at a time; the answers come in the order of the items. */
export async function atOnce<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = new Array(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const at = next++;
      // In bounds by the loop's condition.
      answers[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return answers;
}

/** How many requests of one page go to the storage at once. */
export const PAGE_WIDTH = 32;
