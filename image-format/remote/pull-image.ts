// SPDX-License-Identifier: Apache-2.0
import type { ContentStore } from '../layout/store.ts';
import type { Reference } from '../reference.ts';
import type { RemoteRegistry } from './remote.ts';
import type { Pulled, TransferOptions } from './transfer.ts';

export interface PullOptions extends TransferOptions {
  /** Which manifest of an index. Default: its first. */
  profile?: string;
}

/**
 * Pulls an image into the store: every blob is verified, what is there is not fetched again, and the name appears
 * (`formatReference(reference)`) when everything is there.
 *
 * @throws ImageError as `RemoteRegistry` and `ContentStore` do
 */
export async function pullImage(
  _reference: Reference,
  _remote: RemoteRegistry,
  _store: ContentStore,
  _options: PullOptions = {},
): Promise<Pulled> {
  throw new Error('not written yet');
}
