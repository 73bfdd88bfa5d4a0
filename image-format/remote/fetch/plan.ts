// SPDX-License-Identifier: Apache-2.0
import { statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import type { Descriptor } from '../../descriptor.ts';
import { ImageError } from '../../errors.ts';
import type { ContentStore } from '../../layout/store.ts';
import type { TransferPlan } from '../transfer.ts';

/** Compares what an image consists of with what the store has. */
export async function planTransfer(
  store: ContentStore,
  name: string,
  blobs: readonly Descriptor[],
): Promise<TransferPlan> {
  const plan: TransferPlan = { name, blobs: blobs.length, total: 0, shared: 0, resumed: 0, missing: 0 };
  for (const { digest, size } of blobs) {
    plan.total += size;
    if ((await store.stat(digest)) === size) {
      plan.shared += size;
      continue;
    }
    const received = Math.min(await store.partlyReceived(digest), size);
    plan.resumed += received;
    plan.missing += size - received;
  }
  return plan;
}

/**
 * An image that does not fit is refused before its first layer.
 *
 * @throws ImageError `STORE_IO`
 */
export async function checkSpace(store: ContentStore, { name, missing }: TransferPlan): Promise<void> {
  // Some file systems cannot say; then the write itself fails.
  const disk = await statfs(store.root).catch(() => undefined);
  if (disk === undefined || disk.blocks === 0 || missing <= disk.bavail * disk.bsize) return;
  const free = prettyBytes(disk.bavail * disk.bsize);
  throw new ImageError('STORE_IO', `${name} needs ${prettyBytes(missing)}, and ${store.root} has ${free} left`, {
    hint: 'free some space (uk rmi), or choose a store on another disk (--store, UK_STORE)',
  });
}
