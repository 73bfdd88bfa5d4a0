// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from './descriptor.ts';
import { digestAlgorithm, digestOf } from './digest.ts';
import { ImageError } from './errors.ts';

/** RFC 4648 section 4, with padding, as Go's decoder of `[]byte` wants it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Checks the content that a descriptor embeds (image-spec descriptor.md, "Embedded Content": it must match digest and
 * size).
 *
 * @param place of the descriptor, for the message
 * @throws ImageError `MANIFEST_INVALID`
 */
export function checkData(place: string, { data, size, digest }: Descriptor): void {
  if (data === undefined) return;
  if (!BASE64.test(data)) throw invalid(place, 'is not base64');
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length !== size) throw invalid(place, `has ${bytes.length} bytes, but the descriptor's size is ${size}`);
  const found = digestOf(bytes, digestAlgorithm(digest));
  if (found !== digest) throw invalid(place, `has the digest ${found}, but the descriptor's digest is ${digest}`);
}

function invalid(place: string, why: string): ImageError {
  return new ImageError('MANIFEST_INVALID', `the data of ${place} ${why}`);
}
