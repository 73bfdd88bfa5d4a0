// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { type Expected, verifyBytes } from '../verified-stream.ts';
import { receiveUnknown, receiveVerified } from './blob-writer.ts';
import { collectBlobs } from './collect.ts';
import { isErrno, isMissing, storeError, syncFolder } from './durable.ts';
import { IngestFolder } from './ingest.ts';
import { NameFolder } from './names.ts';
import { dataFile, type PartialBlob } from './partial/partial-blob.ts';
import { type Claim, PartialFolder } from './partial/partial-folder.ts';
import { MANIFEST_LIMIT } from './reach.ts';
import { ReferrerFolder } from './referrers.ts';
import type { ContentStore } from './store.ts';

/** image-spec image-layout.md, "oci-layout file" */
export const LAYOUT_FILE = JSON.stringify({ imageLayoutVersion: '1.0.0' });

const DEFAULT_GRACE_MS = 3600 * 1000;
const READ_STEP = 1024 * 1024;

/**
 * Opens the content store in a folder, which is made where it does not exist.
 *
 * @throws ImageError `STORE_IO`, `LAYOUT_INVALID` (the folder is something else)
 */
export async function openContentStore(root: string): Promise<ContentStore> {
  const path = resolve(root);
  try {
    await mkdir(path, { recursive: true });
    await claim(path);
    const ingest = await IngestFolder.open(join(path, 'ingest'));
    await mkdir(join(path, 'names'), { recursive: true });
    const store = new FolderStore(path, ingest);
    await store.complete();
    return store;
  } catch (cause) {
    throw storeError(cause, `opening the store ${path}`);
  }
}

/** A folder that holds other things does not become a store by a mistyped option. */
async function claim(path: string): Promise<void> {
  const text = await readFile(join(path, 'oci-layout'), 'utf8').catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (text === undefined) {
    const strangers = (await readdir(path)).filter((name) => !OWN.has(name));
    if (strangers.length === 0) return;
    throw new ImageError('LAYOUT_INVALID', `not a content store, and not empty: ${path} (it has ${strangers[0]})`, {
      hint: 'name a folder that is empty or does not exist (--store, UK_STORE)',
    });
  }
  if (!/"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(text)) {
    throw new ImageError('LAYOUT_INVALID', `not a layout of version 1: ${join(path, 'oci-layout')}`);
  }
}

/** What a store may have before it was opened for the first time, or when that was interrupted. */
const OWN = new Set(['blobs', 'ingest', 'names', 'index.json', 'partial', 'referrers', 'volumes']);

class FolderStore implements ContentStore {
  readonly root: string;
  readonly #ingest: IngestFolder;
  readonly #names: NameFolder;
  readonly #partials: PartialFolder;
  readonly #referrers: ReferrerFolder;

  constructor(root: string, ingest: IngestFolder) {
    this.root = root;
    this.#ingest = ingest;
    this.#names = new NameFolder(join(root, 'names'), ingest);
    this.#partials = new PartialFolder(join(root, 'partial'));
    this.#referrers = new ReferrerFolder(join(root, 'referrers'), ingest);
  }

  /** An image layout has these two files; ours never change (names stand in `names/`). */
  async complete(): Promise<void> {
    const emptyIndex = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [] });
    for (const [name, text] of [
      ['index.json', emptyIndex],
      ['oci-layout', LAYOUT_FILE],
    ] as const) {
      const path = join(this.root, name);
      if ((await stat(path).catch(() => undefined)) !== undefined) continue;
      await this.#ingest.publish(`writing ${path}`, async (file) => {
        await file.writeFile(text);
        return path;
      });
    }
  }

  async stat(digest: Digest): Promise<number | undefined> {
    try {
      const info = await stat(this.#blob(digest));
      return info.isFile() ? info.size : undefined;
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw storeError(cause, `looking for ${digest} in ${this.root}`);
    }
  }

  async path(digest: Digest): Promise<string> {
    if ((await this.stat(digest)) === undefined) throw this.#notFound(digest);
    return this.#blob(digest);
  }

  async read(digest: Digest, limit: number = MANIFEST_LIMIT): Promise<Buffer> {
    const size = await this.stat(digest);
    if (size === undefined) throw this.#notFound(digest);
    if (size > limit)
      throw new ImageError('SIZE_MISMATCH', `${digest} has ${size} bytes; at most ${limit} are allowed`);
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#blob(digest));
    } catch (cause) {
      throw isMissing(cause) ? this.#notFound(digest) : storeError(cause, `reading ${digest} from ${this.root}`);
    }
    // Small and read at once: a disk that has altered it is found out here, not in what is parsed from it.
    verifyBytes(bytes, { digest });
    return bytes;
  }

  stream(digest: Digest, range: { start?: number; end?: number } = {}): Readable {
    const file = createReadStream(this.#blob(digest), { highWaterMark: READ_STEP, ...range });
    const store = this;
    async function* chunks(): AsyncGenerator<Buffer> {
      try {
        yield* file;
      } catch (cause) {
        throw isMissing(cause) ? store.#notFound(digest) : storeError(cause, `reading ${digest} from ${store.root}`);
      }
    }
    return Readable.from(chunks(), { objectMode: false, highWaterMark: READ_STEP });
  }

  async write(expected: Expected, source: Readable, options: { signal?: AbortSignal } = {}): Promise<void> {
    if (await this.#renew(expected)) {
      source.on('error', () => {}).destroy();
      return;
    }
    const target = this.#blob(expected.digest);
    const amount = expected.size === undefined ? '' : ` (${expected.size} bytes)`;
    await this.#ingest.publish(`writing ${expected.digest}${amount} to ${this.root}`, async (file) => {
      await receiveVerified(source, expected, file, options.signal);
      return target;
    });
  }

  async receive(
    expected: Required<Expected>,
    fill: (blob: PartialBlob) => Promise<void>,
    options: { signal?: AbortSignal; onMismatch?: (resumed: boolean) => boolean } = {},
  ): Promise<'exists' | 'received'> {
    const doing = `writing ${expected.digest} (${expected.size} bytes) to ${this.root}`;
    let claim: Claim | undefined;
    try {
      claim = await this.#partials.claim(expected, () => this.#renew(expected), options.signal);
      if (claim === undefined) return 'exists';
      await fillVerified(claim.blob, fill, options.onMismatch);
      await claim.blob.close();
      const target = this.#blob(expected.digest);
      await mkdir(dirname(target), { recursive: true });
      await rename(dataFile(claim.folder), target);
      await syncFolder(dirname(target));
      await this.#partials.remove(claim);
      return 'received';
    } catch (cause) {
      const isWrong = cause instanceof ImageError && cause.code === 'DIGEST_MISMATCH';
      if (claim !== undefined) await (isWrong ? this.#partials.remove(claim) : this.#partials.release(claim));
      throw isErrno(cause) ? storeError(cause, doing) : cause;
    }
  }

  async partlyReceived(digest: Digest): Promise<number> {
    return await this.#partials.received(digest);
  }

  async ingest(source: Readable, options: { signal?: AbortSignal } = {}): Promise<{ digest: Digest; size: number }> {
    let received: { digest: Digest; size: number } | undefined;
    await this.#ingest.publish(`writing a new blob to ${this.root}`, async (file) => {
      received = await receiveUnknown(source, file, options.signal);
      return this.#blob(received.digest);
    });
    if (received === undefined) throw new Error('publish() ended without having called fill()');
    return received;
  }

  async resolve(name: string): Promise<Descriptor | undefined> {
    return await this.#names.get(name);
  }

  async tag(name: string, descriptor: Descriptor): Promise<void> {
    if ((await this.stat(descriptor.digest)) !== descriptor.size) throw this.#notFound(descriptor.digest);
    await this.#names.set(name, descriptor);
  }

  async untag(name: string): Promise<boolean> {
    return await this.#names.delete(name);
  }

  async attach(subject: Digest, referrer: Descriptor): Promise<void> {
    if ((await this.stat(subject)) === undefined) throw this.#notFound(subject);
    if ((await this.stat(referrer.digest)) !== referrer.size) throw this.#notFound(referrer.digest);
    await this.#referrers.add(subject, referrer);
  }

  async referrers(subject: Digest): Promise<Descriptor[]> {
    return await this.#referrers.of(subject);
  }

  async list(): Promise<{ name: string; descriptor: Descriptor }[]> {
    return await this.#names.list();
  }

  async collect(options: Parameters<ContentStore['collect']>[0] = {}): Promise<{ digest: Digest; size: number }[]> {
    const { graceMs = DEFAULT_GRACE_MS, dryRun = false, keep = async () => [] } = options;
    await this.#ingest.clean();
    if (!dryRun) await this.#partials.clean();
    const removed = await collectBlobs(this, this.#ingest, Date.now() - graceMs, dryRun, keep);
    if (!dryRun) await this.#referrers.retain(async (subject) => (await this.stat(subject)) !== undefined);
    return removed;
  }

  /** Whether the blob is there; its time is renewed, so that a collection under way leaves it. */
  async #renew(expected: Expected): Promise<boolean> {
    const size = await this.stat(expected.digest);
    // A blob of another size is damaged, or `expected` is wrong: writing it again settles which.
    if (size === undefined || (expected.size !== undefined && size !== expected.size)) return false;
    try {
      const now = new Date();
      await utimes(this.#blob(expected.digest), now, now);
      return true;
    } catch (cause) {
      if (isMissing(cause)) return false;
      // Somebody else's file in a store that is shared: it is there all the same.
      return (cause as NodeJS.ErrnoException).code === 'EPERM' || (cause as NodeJS.ErrnoException).code === 'EROFS';
    }
  }

  #blob(digest: Digest): string {
    return join(this.root, 'blobs', digestAlgorithm(digest), digestHex(digest));
  }

  #notFound(digest: Digest): ImageError {
    return new ImageError('NOT_FOUND', `the store ${this.root} does not hold ${digest}`, {
      hint: 'pull or build the image again',
    });
  }
}

async function fillVerified(
  blob: PartialBlob,
  fill: (blob: PartialBlob) => Promise<void>,
  onMismatch: (resumed: boolean) => boolean = () => false,
): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      await fill(blob);
      return await blob.verify();
    } catch (error) {
      if (!(error instanceof ImageError) || error.code !== 'DIGEST_MISMATCH') throw error;
      await blob.wipe();
      if (!onMismatch(isFirst && blob.resumed > 0)) throw error;
    }
  }
}
