// SPDX-License-Identifier: Apache-2.0
import Sha256 from 'sha.js/sha256';
import Sha512 from 'sha.js/sha512';

export interface StreamedHash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: 'hex'): string;
}

/** Of the algorithms that digests may have. */
export function createHash(algorithm: string): StreamedHash {
  return algorithm === 'sha512' ? new Sha512() : new Sha256();
}
