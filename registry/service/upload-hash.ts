// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { IHasher } from 'hash-wasm';
import type { Digest, DigestAlgorithm } from '../../image-format/index.ts';

/**
 * The hash of an upload's bytes so far. There are two, and neither is right everywhere. On one core, 64 KiB at a time:
 * Node's own hash takes 1,690 MB/s (sha256) and cannot be saved, `hash-wasm` 350 to 380 MB/s, `sha.js` 61 MB/s; the state
 * of the latter two can be. (sha512, on a busy machine: 560, 300, 19 MB/s.) So `sha.js` is out.
 */
export interface UploadHash {
  readonly algorithm: DigestAlgorithm;
  update(bytes: Uint8Array): void;
  /** Of the bytes so far; more may follow. */
  digest(): Digest;
  /** What another process can go on from; undefined where that is not possible. */
  save(): SavedHash | undefined;
}

export interface SavedHash {
  algorithm: DigestAlgorithm;
  /** 116 bytes (sha256) or 212 (sha512), in base64. */
  state: string;
}

/** The fast one, which ends with its process. */
export class NativeHash implements UploadHash {
  readonly algorithm: DigestAlgorithm;
  readonly #hash: Hash;

  constructor(algorithm: DigestAlgorithm, hash = createHash(algorithm)) {
    this.algorithm = algorithm;
    this.#hash = hash;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Digest {
    return `${this.algorithm}:${this.#hash.copy().digest('hex')}`;
  }

  save(): undefined {
    return undefined;
  }

  copy(): NativeHash {
    return new NativeHash(this.algorithm, this.#hash.copy());
  }
}

/** The slow one, which any process can go on with. */
export class PortableHash implements UploadHash {
  readonly algorithm: DigestAlgorithm;
  readonly #hasher: IHasher;

  private constructor(algorithm: DigestAlgorithm, hasher: IHasher) {
    this.algorithm = algorithm;
    this.#hasher = hasher;
  }

  static async begin(algorithm: DigestAlgorithm): Promise<PortableHash> {
    return new PortableHash(algorithm, (await newHasher(algorithm)).init());
  }

  /** @returns undefined where the state is not one that this version can go on from */
  static async resume({ algorithm, state }: SavedHash): Promise<PortableHash | undefined> {
    const hasher = await newHasher(algorithm);
    try {
      return new PortableHash(algorithm, hasher.load(Buffer.from(state, 'base64')));
    } catch {
      return undefined;
    }
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  digest(): Digest {
    const state = this.#hasher.save();
    const hex = this.#hasher.digest();
    this.#hasher.load(state);
    return `${this.algorithm}:${hex}`;
  }

  save(): SavedHash {
    return { algorithm: this.algorithm, state: Buffer.from(this.#hasher.save()).toString('base64') };
  }
}

/** Loaded and compiled (7 ms) when the first upload needs it; 0.1 ms and 20 KB for each one after that. */
async function newHasher(algorithm: DigestAlgorithm): Promise<IHasher> {
  const { createSHA256, createSHA512 } = await import('hash-wasm');
  return algorithm === 'sha256' ? createSHA256() : createSHA512();
}

/**
 * Hashes of uploads that this process wrote last, so that the next request goes on where this one stopped. Bounded (a
 * hash is less than a kilobyte) and only a shortcut.
 */
export class RunningHashes {
  readonly #hashes = new Map<string, { at: number; hash: NativeHash }>();
  readonly #limit: number;

  constructor(limit = 4096) {
    this.#limit = limit;
  }

  /** @returns a hash of the upload's first `at` bytes, or undefined */
  resume(id: string, at: number, algorithm: DigestAlgorithm): NativeHash | undefined {
    const known = this.#hashes.get(id);
    return known?.at === at && known.hash.algorithm === algorithm ? known.hash.copy() : undefined;
  }

  keep(id: string, at: number, hash: NativeHash): void {
    this.#hashes.delete(id);
    this.#hashes.set(id, { at, hash });
    if (this.#hashes.size <= this.#limit) return;
    const oldest = this.#hashes.keys().next();
    if (!oldest.done) this.#hashes.delete(oldest.value);
  }

  forget(id: string): void {
    this.#hashes.delete(id);
  }
}
