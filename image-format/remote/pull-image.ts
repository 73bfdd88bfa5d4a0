// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { checkPlatform, isImageConfig } from '../check-image.ts';
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { imageContent } from '../image-content.ts';
import { MANIFEST_LIMIT } from '../layout/reach.ts';
import type { ContentStore } from '../layout/store.ts';
import { formatReference, manifestIdentifier, type Reference } from '../reference.ts';
import { concurrently } from './concurrently.ts';
import type { RemoteRegistry } from './remote.ts';
import { DEFAULT_CONCURRENCY, type Pulled, Report, type TransferOptions } from './transfer.ts';

export interface PullOptions extends TransferOptions {
  /** Which manifest of an index. Default: its first. */
  profile?: string;
}

/**
 * Pulls an image into the store: every blob is verified, what is there is not fetched again, and the name appears
 * (`formatReference(reference)`) when everything is there.
 *
 * @throws ImageError as `RemoteRegistry` and `ContentStore` do
 */
export async function pullImage(
  reference: Reference,
  remote: RemoteRegistry,
  store: ContentStore,
  options: PullOptions = {},
): Promise<Pulled> {
  const { repository } = reference;
  const { signal, concurrency = DEFAULT_CONCURRENCY } = options;
  const abort = signal === undefined ? {} : { signal };
  const root = await remote.fetchManifest(repository, manifestIdentifier(reference), abort);
  const { manifest, config, layers, documents } = await imageContent(
    root,
    async (chosen) => {
      const fetched = await remote.fetchManifest(repository, chosen.digest, abort);
      return { descriptor: chosen, bytes: fetched.bytes };
    },
    options.profile,
  );
  await pullBlob(repository, config, remote, store, options);
  // An image for other machines costs no layer.
  if (isImageConfig(config)) checkPlatform(manifest, await store.read(config.digest, MANIFEST_LIMIT));
  await concurrently(layers, concurrency, signal, async (layer, either) => {
    await pullBlob(repository, layer, remote, store, { ...options, signal: either });
  });
  for (const document of documents) {
    const report = new Report(document.descriptor, options);
    await store.write(document.descriptor, Readable.from([document.bytes]));
    report.done('transferred');
  }
  await checkComplete(store, [config, ...layers, ...documents.map(({ descriptor }) => descriptor)]);
  const name = formatReference(reference);
  await store.tag(name, root.descriptor);
  return { descriptor: root.descriptor, manifest, name };
}

async function pullBlob(
  repository: string,
  blob: Descriptor,
  remote: RemoteRegistry,
  store: ContentStore,
  options: TransferOptions,
): Promise<void> {
  const report = new Report(blob, options);
  const abort = options.signal === undefined ? {} : { signal: options.signal };
  let received = 0;
  let started = false;
  async function* counted(): AsyncGenerator<Buffer> {
    started = true;
    for await (const chunk of remote.fetchBlob(repository, blob, abort)) {
      received += chunk.length;
      report.progress(received);
      yield chunk;
    }
  }
  // The store reads nothing of a blob that it has; it renews it instead.
  await store.write(blob, Readable.from(counted(), { objectMode: false }), abort);
  report.done(started ? 'transferred' : 'exists');
}

/** A name is given only to what is all there, whatever a collection may have done in the meantime. */
async function checkComplete(store: ContentStore, descriptors: readonly Descriptor[]): Promise<void> {
  for (const { digest, size } of descriptors) {
    if ((await store.stat(digest)) !== size) {
      throw new ImageError('NOT_FOUND', `${digest} has gone from the store while the image was pulled`, {
        hint: 'pull again',
      });
    }
  }
}
