// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { type Digest, digestAlgorithm, digestOf } from './digest.ts';
import { ImageError } from './errors.ts';

export interface Expected {
  digest: Digest;
  /** Bytes. A cap while the stream runs, an equality at its end. Leave it out only where no one declared a size. */
  size?: number;
}

/**
 * The one way for foreign bytes into the system: passes bytes through and ends only if they were exactly what was
 * expected. One byte too many fails at once, before it is passed on; a short stream or another digest fails at the
 * end. Whoever writes to disk gives the file its name after this stream has ended, never before.
 *
 * @throws (as stream errors) ImageError `SIZE_MISMATCH`, `DIGEST_MISMATCH`
 */
export class VerifiedStream extends Transform {
  readonly #expected: Expected;
  readonly #hash: Hash;
  #seen = 0;
  #found: Digest | undefined;

  constructor(expected: Expected) {
    super();
    this.#expected = expected;
    this.#hash = createHash(digestAlgorithm(expected.digest));
  }

  /** Bytes that passed so far. */
  get seen(): number {
    return this.#seen;
  }

  /** The digest of what passed, once all of it has. */
  get found(): Digest | undefined {
    return this.#found;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const { size, digest } = this.#expected;
    if (size !== undefined && this.#seen + chunk.length > size) {
      done(
        new ImageError(
          'SIZE_MISMATCH',
          `the content of ${digest} has more than the ${size} bytes that its descriptor states`,
        ),
      );
      return;
    }
    this.#seen += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const { size, digest } = this.#expected;
    if (size !== undefined && this.#seen !== size) {
      done(
        new ImageError(
          'SIZE_MISMATCH',
          `the content of ${digest} has ${this.#seen} bytes, but its descriptor states ${size}`,
        ),
      );
      return;
    }
    const found: Digest = `${digestAlgorithm(digest)}:${this.#hash.digest('hex')}`;
    this.#found = found;
    if (found !== digest) {
      done(new ImageError('DIGEST_MISMATCH', `the content has the digest ${found}, not ${digest}`));
      return;
    }
    done();
  }
}

/**
 * The same check for bytes that are already in memory (manifests, configs).
 *
 * @throws ImageError `SIZE_MISMATCH`, `DIGEST_MISMATCH`
 */
export function verifyBytes(bytes: Uint8Array, expected: Expected): void {
  const { size, digest } = expected;
  if (size !== undefined && bytes.length !== size) {
    throw new ImageError(
      'SIZE_MISMATCH',
      `the content of ${digest} has ${bytes.length} bytes, but its descriptor states ${size}`,
    );
  }
  const found = digestOf(bytes, digestAlgorithm(digest));
  if (found !== digest) throw new ImageError('DIGEST_MISMATCH', `the content has the digest ${found}, not ${digest}`);
}
