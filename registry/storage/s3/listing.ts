// SPDX-License-Identifier: Apache-2.0
import type { ListOptions, ListPage } from '../contract.ts';
import { MAX_KEY } from '../contract.ts';
import type { Bucket } from './bucket.ts';
import { storage } from './failures.ts';
import type { Layout } from './layout.ts';

/** The most that S3 gives at once. */
const PAGE = 1000;

/** Keys in byte order, without the empty objects, which are no records. */
export function listKeys(bucket: Bucket, layout: Layout, options: ListOptions): Promise<ListPage> {
  const { prefix, limit } = options;
  const folder = `${layout.object(prefix.slice(0, -1))}/`;
  return storage(`list ${prefix}`, async () => {
    const from = startAfter(prefix, options.after ?? '');
    if (limit <= 0 || from === 'nothing') return { keys: [], more: false };
    const keys: string[] = [];
    for (let after = from === undefined ? undefined : layout.objects + from; ; ) {
      // One more than asked for says whether there are more.
      const { entries, more } = await bucket.list(folder, after, Math.min(PAGE, limit + 1 - keys.length));
      for (const { path, size } of entries) if (size > 0) keys.push(path.slice(layout.objects.length));
      if (keys.length > limit) return { keys: keys.slice(0, limit), more: true };
      after = entries.at(-1)?.path;
      if (!more || after === undefined) return { keys, more: false };
    }
  });
}

/**
 * The text behind which a listing begins, in characters that any store takes: no control characters, nothing beyond
 * ASCII, no longer than a key. It has the same keys behind it.
 */
export function startAfter(prefix: string, after: string): string | undefined | 'nothing' {
  if (after <= prefix) return undefined;
  // Every key begins with the prefix.
  if (!after.startsWith(prefix)) return 'nothing';
  const text = after.slice(0, MAX_KEY);
  const odd = /[^\x21-\x7e]/.exec(text);
  if (odd === null) return text;
  const legal = text.slice(0, odd.index);
  // `~` is behind, and all of the odd ones up to the space are before, whatever a key can hold.
  return odd[0] < '!' ? legal : `${legal}~`;
}
