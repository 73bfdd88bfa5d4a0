// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import type { ByteSource } from '../storage/contract.ts';
import type { UploadHash } from './upload-hash.ts';

/** A request's body, and how long it was announced to be. */
export interface Body {
  source: AsyncIterable<Uint8Array>;
  /** Bytes; undefined where nobody said. */
  length?: number | undefined;
  /** Takes back the memory of a chunk that nobody needs any more. */
  release?(chunk: Uint8Array): void;
}

/**
 * Bytes of an upload on their way into the store: hashed as they pass, cut off when they are more than announced. A
 * source that breaks ends the iteration without an error, so that the store keeps what came; `failure` says why.
 *
 * An upload's digest is known only when it is closed, hence a running hash, and not the verified stream of
 * `image-format`: the upload compares before anything names the data.
 */
export class Intake implements ByteSource {
  readonly #hash: UploadHash | undefined;
  readonly #body: Body;
  #size = 0;
  #failure: { kind: 'broken' | 'length'; error: unknown } | undefined;

  /** @param hash none where the bytes are hashed later */
  constructor(body: Body, hash: UploadHash | undefined) {
    this.#body = body;
    this.#hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  /** `broken`: what came is good, more should have come. `length`: the body is not what was announced. */
  get failure(): { kind: 'broken' | 'length'; error: unknown } | undefined {
    return this.#failure;
  }

  release(chunk: Uint8Array): void {
    this.#body.release?.(chunk);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { source, length } = this.#body;
    try {
      for await (const chunk of source) {
        if (length !== undefined && this.#size + chunk.length > length) {
          this.#failure = { kind: 'length', error: wrongLength('more bytes', length) };
          return;
        }
        this.#size += chunk.length;
        this.#hash?.update(chunk);
        yield chunk;
      }
    } catch (error) {
      const gone = new RegistryError('CLIENT_GONE', 'the client went away in the middle of its body', { cause: error });
      this.#failure = { kind: 'broken', error: gone };
      return;
    }
    if (length !== undefined && this.#size < length) {
      this.#failure = { kind: 'length', error: wrongLength(`${this.#size} bytes`, length) };
    }
  }
}

function wrongLength(what: string, length: number): RegistryError {
  return new RegistryError('SIZE_INVALID', `the body has ${what}, but ${length} bytes were announced`);
}
