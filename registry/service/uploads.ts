// SPDX-License-Identifier: Apache-2.0
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
import { type Body, Intake } from './intake.ts';
import { freshDataKey } from './keys.ts';
import type { SessionRecord } from './records.ts';
import type { Surroundings } from './surroundings.ts';
import { NativeHash, PortableHash, RunningHashes, type UploadHash } from './upload-hash.ts';
import { type Lease, UploadSessions } from './upload-sessions.ts';

/** What came of a body. */
interface Received extends Pick<SessionRecord, 'digest' | 'hash'> {
  data: DataState;
  /** To be thrown once the rest is written down. */
  failure?: unknown;
}

/**
 * Ways for a blob's bytes into the registry. Nothing names them before their digest was compared.
 *
 * **How they are hashed.** A hash that begins and ends in one process is Node's own: of a blob in one request, and of a
 * body that is streamed into a new upload, whose digest is then written into the session, so that any process may close
 * it. In a chunked upload (one with `Content-Range`) the next chunk may come to another process; there it depends on the
 * store. Where data is read back over a network, the hash is one whose state is kept in the session. Where it is read
 * back from this machine's memory (`ObjectStore.rereadsFast`), that costs less than the slower hash: such an upload is
 * hashed by Node's as long as its chunks come to the same process, and read once more at its close where they did not.
 * So is every other upload without a usable state: one that was streamed in several bodies to several processes, or is
 * closed with another algorithm than it began with.
 */
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
    const { failure, ...received } = await this.#receive(lease, body, { chunked: offset !== undefined });
    await this.#sessions.release(lease, received);
    if (failure !== undefined) throw failure;
    return received.data.size;
  }

  /**
   * Appends the last body, which may be empty, and makes the upload a blob of the repository.
   *
   * @throws RegistryError as `append` does, and `DIGEST_INVALID`, after which the upload is gone
   */
  async finish(repository: string, id: string, digest: Digest, body: Body, offset?: number): Promise<void> {
    const lease = await this.#sessions.lease(repository, id, offset);
    const { failure, ...received } = await this.#receive(lease, body, { closing: digestAlgorithm(digest) });
    if (failure !== undefined) {
      await this.#sessions.release(lease, received);
      throw failure;
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
    const hash = new NativeHash(algorithm);
    const intake = new Intake(body, hash);
    try {
      const completes = () => intake.failure === undefined;
      const data = await this.#store.appendData(begun, intake, { completes });
      if (intake.failure !== undefined) throw intake.failure.error;
      const until = mayBeNamedUntil(data.key);
      await this.#close(repository, digest, data, hash.digest(), until);
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

  async #receive(lease: Lease, body: Body, how: { chunked?: boolean; closing?: DigestAlgorithm }): Promise<Received> {
    const { session, data: before } = lease;
    const unchanged: Received = { data: before, ...knownOf(session) };
    if (body.length === 0 && before.size > 0) return unchanged;
    const hash = await this.#hashAt(lease, how);
    const intake = new Intake(body, hash);
    let data: DataState;
    try {
      const completes = () => how.closing !== undefined && intake.failure === undefined;
      data = body.length === 0 ? before : await this.#store.appendData(before, intake, { completes });
    } catch (error) {
      // The store failed; the session goes back to what it was, if the store can still write that down.
      await this.#sessions.release(lease, unchanged).catch(() => undefined);
      throw error;
    }
    if (intake.failure?.kind === 'length') return { ...unchanged, failure: intake.failure.error };
    if (hash instanceof NativeHash) this.#hashes.keep(lease.id, data.size, hash);
    const received: Received = { data, ...knownOf({ digest: hash?.digest(), hash: hash?.save() }) };
    return intake.failure === undefined ? received : { ...received, failure: intake.failure.error };
  }

  /** A hash of what the upload has, to go on with; undefined where there is none. */
  async #hashAt(
    { id, session, data }: Lease,
    { chunked = false, closing }: { chunked?: boolean; closing?: DigestAlgorithm },
  ): Promise<UploadHash | undefined> {
    if (data.size === 0) {
      // An empty upload can still be hashed with what it will be closed with.
      const algorithm = closing ?? session.algorithm;
      return chunked && !this.#store.rereadsFast ? PortableHash.begin(algorithm) : new NativeHash(algorithm);
    }
    const running = this.#hashes.resume(id, data.size, session.algorithm);
    if (running !== undefined || session.hash === undefined) return running;
    return PortableHash.resume(session.hash);
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
      throw mismatch(digest, verified.found ?? 'that was not computed', error);
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

/** Without the members that are not known. */
function knownOf({ digest, hash }: { digest?: Digest | undefined; hash?: SessionRecord['hash'] | undefined }) {
  return { ...(digest === undefined ? {} : { digest }), ...(hash === undefined ? {} : { hash }) };
}
