// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Digest, digestAlgorithm, digestHex } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { decompress } from './decompress.ts';
import { DEFAULT_LIMIT, type ReadLayerOptions } from './read-layer.ts';

/**
 * Whether a layer unpacks to what the image's config says of it.
 *
 * @param source the blob, already verified against its digest
 * @throws ImageError `DIGEST_MISMATCH`, `COMPRESSION_INVALID`
 */
export async function verifyDiffId(
  source: AsyncIterable<Uint8Array>,
  diffId: Digest,
  options: ReadLayerOptions,
): Promise<void> {
  const algorithm = digestAlgorithm(diffId);
  const hash = createHash(algorithm);
  for await (const chunk of decompress(source, options.compression, options.limit ?? DEFAULT_LIMIT)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found !== digestHex(diffId)) {
    throw new ImageError('DIGEST_MISMATCH', `the layer unpacks to ${algorithm}:${found}, the config says ${diffId}`);
  }
}
