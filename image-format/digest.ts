// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { ImageError } from './errors.ts';

/** The registered algorithms (image-spec descriptor.md, "Registered algorithms") and the length of their hex in characters. */
const HEX_LENGTH = { sha256: 64, sha512: 128 } as const;

export type DigestAlgorithm = keyof typeof HEX_LENGTH;

/** `<algorithm>:<lower-case hex>`, checked: only {@link parseDigest} and the functions that hash make one. */
export type Digest = `${DigestAlgorithm}:${string}`;

export const DIGEST_ALGORITHMS = Object.keys(HEX_LENGTH) as readonly DigestAlgorithm[];

/** Whether `text` is a digest that could be verified here: a registered algorithm and lower-case hex of its length. */
export function isDigest(text: string): text is Digest {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  if (!Object.hasOwn(HEX_LENGTH, algorithm)) return false;
  const hex = text.slice(colon + 1);
  return hex.length === HEX_LENGTH[algorithm as DigestAlgorithm] && /^[0-9a-f]+$/.test(hex);
}

/**
 * @throws ImageError `DIGEST_INVALID`
 * @see image-spec descriptor.md, "Digests"
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new ImageError('DIGEST_INVALID', `${JSON.stringify(text.slice(0, 160))} is not a digest`, {
    hint: 'a digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal characters',
  });
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

/** The hexadecimal part; safe as a file name. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The digest of bytes that are already in memory. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
