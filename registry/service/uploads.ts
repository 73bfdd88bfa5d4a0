// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  ImageError,
  VerifiedStream,
} from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { DataState, ObjectStore } from '../storage/contract.ts';
import type { Blobs } from './blobs.ts';
import { mayBeNamedUntil, NAMED_WITHIN_MS } from './data-age.ts';
import { type Body, digestOfHash, Intake, RunningHashes } from './intake.ts';
import { freshDataKey } from './keys.ts';
import type { Surroundings } from './surroundings.ts';
import { type Lease, UploadSessions } from './upload-sessions.ts';

/** Ways for a blob's bytes into the registry. Nothing names them before their digest was compared. */
export class Uploads {
  readonly #store: ObjectStore;
  readonly #blobs: Blobs;
  readonly #surroundings: Surroundings;
  readonly #sessions: UploadSessions;
  readonly #hashes = new RunningHashes();

  constructor(store: ObjectStore, blobs: Blobs, surroundings: Surroundings) {
    this.#store = store;
    this.#blobs = blobs;
    this.#surroundings = surroundings;
    this.#sessions = new UploadSessions(store, surroundings);
  }

  /** @param algorithm what the closing digest will probably be of @returns the upload's identifier */
  start(repository: string, algorithm: DigestAlgorithm = 'sha256'): Promise<string> {
    return this.#sessions.start(repository, algorithm);
  }

  /** @returns how many bytes the upload has. @throws RegistryError `UPLOAD_UNKNOWN` */
  async offset(repository: string, id: string): Promise<number> {
    return (await this.#sessions.get(repository, id)).session.data?.size ?? 0;
  }

  /**
   * Appends a body. One that breaks off leaves what came of it in the upload.
   *
   * @param offset where it belongs; left out: at the end
   * @returns how many bytes the upload has now
   * @throws RegistryError `UPLOAD_UNKNOWN`, `UPLOAD_OUT_OF_ORDER`, `SIZE_INVALID`, `CLIENT_GONE`
   */
  async append(repository: string, id: string, body: Body, offset?: number): Promise<number> {
    const lease = await this.#sessions.lease(repository, id, offset);
    const { data, digest, failure } = await this.#receive(lease, body);
    await this.#sessions.release(lease, { data, ...(digest === undefined ? {} : { digest }) });
    if (failure !== undefined) throw failure;
    return data.size;
  }

  /**
   * Appends the last body, which may be empty, and makes the upload a blob of the repository.
   *
   * @throws RegistryError as `append` does, and `DIGEST_INVALID`, after which the upload is gone
   */
  async finish(repository: string, id: string, digest: Digest, body: Body, offset?: number): Promise<void> {
    const lease = await this.#sessions.lease(repository, id, offset);
    const received = await this.#receive(lease, body, digestAlgorithm(digest));
    if (received.failure !== undefined) {
      const { data, digest: known } = received;
      await this.#sessions.release(lease, { data, ...(known === undefined ? {} : { digest: known }) });
      throw received.failure;
    }
    let until = mayBeNamedUntil(received.data.key);
    if (until <= this.#surroundings.now() + NAMED_WITHIN_MS / 2) {
      until = this.#surroundings.now() + NAMED_WITHIN_MS;
      await this.#sessions.close(lease, received.data);
    }
    try {
      await this.#close(repository, digest, received.data, received.digest, until);
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'DIGEST_INVALID') await this.#drop(id, received.data);
      throw error;
    }
    this.#hashes.forget(id);
    await this.#sessions.drop(id, undefined);
  }

  /** A blob in one request. @throws RegistryError `DIGEST_INVALID`, `SIZE_INVALID`, `CLIENT_GONE` */
  async whole(repository: string, digest: Digest, body: Body): Promise<void> {
    const begun = await this.#store.beginData(freshDataKey(this.#surroundings));
    const algorithm = digestAlgorithm(digest);
    const intake = new Intake(body, createHash(algorithm));
    try {
      const completes = () => intake.failure === undefined;
      const data = await this.#store.appendData(begun, intake, { completes });
      if (intake.failure !== undefined) throw intake.failure.error;
      const until = mayBeNamedUntil(data.key);
      await this.#close(repository, digest, data, digestOfHash(algorithm, intake.hash), until);
    } catch (error) {
      await this.#store.abortData(begun).catch(() => undefined);
      throw error;
    }
  }

  /** @throws RegistryError `UPLOAD_UNKNOWN` */
  async cancel(repository: string, id: string): Promise<void> {
    this.#hashes.forget(id);
    await this.#sessions.cancel(repository, id);
  }

  /** Gives up uploads that nobody touched for `idleMs`. @returns how many */
  expire(idleMs: number): Promise<number> {
    return this.#sessions.expire(idleMs);
  }

  /** The state after the body; where the body failed, the error to throw once that state is written down. */
  async #receive(lease: Lease, body: Body, closing?: DigestAlgorithm) {
    const { session, data: before } = lease;
    // An empty upload can still be hashed with what it will be closed with.
    const algorithm = before.size === 0 ? (closing ?? session.algorithm) : session.algorithm;
    const hash = this.#hashes.resume(lease.id, before.size, algorithm);
    if (body.length === 0)
      return { data: before, digest: hash === undefined ? session.digest : digestOfHash(algorithm, hash) };

    const intake = new Intake(body, hash ?? createHash(algorithm));
    let data: DataState;
    try {
      const completes = () => closing !== undefined && intake.failure === undefined;
      data = await this.#store.appendData(before, intake, { completes });
    } catch (error) {
      // The store failed; the session goes back to what it was, if the store can still write that down.
      await this.#sessions.release(lease, { ...session, data: before }).catch(() => undefined);
      throw error;
    }
    if (intake.failure?.kind === 'length')
      return { data: before, digest: session.digest, failure: intake.failure.error };
    if (hash !== undefined) this.#hashes.keep(lease.id, data.size, algorithm, hash);
    const digest = hash === undefined ? undefined : digestOfHash(algorithm, hash);
    return { data, digest, failure: intake.failure?.error };
  }

  /** @param until when the data may get its first record: see `data-age.ts` */
  async #close(
    repository: string,
    digest: Digest,
    data: DataState,
    known: Digest | undefined,
    until: number,
  ): Promise<void> {
    const comparable = known !== undefined && digestAlgorithm(known) === digestAlgorithm(digest);
    if (comparable && known !== digest) throw mismatch(digest, `${known}`);
    const readable = this.#store.completeData(data);
    if (!comparable) {
      await readable;
      await this.#readBack(digest, data);
    }
    await this.#blobs.accept(repository, digest, { key: data.key, size: data.size, until }, readable);
  }

  /** For bytes that several processes wrote, or whose algorithm was learned only now: read once more. */
  async #readBack(digest: Digest, data: DataState): Promise<void> {
    const verified = new VerifiedStream({ digest, size: data.size }).resume();
    // Its failure is told to who waits below; without a listener it would end the process.
    verified.on('error', () => undefined);
    try {
      const reader = await this.#store.readData(data.key);
      // One chunk after the other, as the reader uses its buffers again.
      for await (const chunk of reader) await writeTo(verified, chunk);
      await finished(verified.end());
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      await this.#store.deleteData(data.key);
      throw mismatch(digest, 'another one', error);
    }
  }

  async #drop(id: string, data: DataState | undefined): Promise<void> {
    this.#hashes.forget(id);
    await this.#sessions.drop(id, data);
  }
}

function writeTo(stream: Writable, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

function mismatch(digest: Digest, found: string, cause?: unknown): RegistryError {
  return new RegistryError('DIGEST_INVALID', `the bytes have the digest ${found}, not ${digest}`, { cause });
}
