// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import type { ContentStore } from '../layout/store.ts';
import type { Reference } from '../reference.ts';
import type { RemoteRegistry } from './remote.ts';
import type { TransferOptions } from './transfer.ts';

/**
 * Pushes what a name of the store points at: layers and configs first, then manifests by digest, the tag last.
 *
 * @returns the descriptor that the reference points at now
 * @throws ImageError as `RemoteRegistry` and `ContentStore` do
 */
export async function pushImage(
  _store: ContentStore,
  _name: string,
  _reference: Reference,
  _remote: RemoteRegistry,
  _options: TransferOptions = {},
): Promise<Descriptor> {
  throw new Error('not written yet');
}
