// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../digest.ts';
import type { ReadLayerOptions } from './read-layer.ts';

/**
 * Whether a layer unpacks to what the image's config says of it.
 *
 * @param source the blob, already verified against its digest
 * @throws ImageError `DIGEST_MISMATCH`, `COMPRESSION_INVALID`
 */
export async function verifyDiffId(
  _source: AsyncIterable<Uint8Array>,
  _diffId: Digest,
  _options: ReadLayerOptions,
): Promise<void> {
  throw new Error('not written yet');
}
