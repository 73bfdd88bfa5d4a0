// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { isManifestType, MANIFEST_LIMIT } from '../layout/reach.ts';
import type { ContentStore } from '../layout/store.ts';
import type { Reference } from '../reference.ts';
import { wholeContent } from './check-whole.ts';
import { concurrently } from './concurrently.ts';
import type { RemoteRegistry } from './remote.ts';
import { DEFAULT_CONCURRENCY, Report, type TransferOptions } from './transfer.ts';

/**
 * Pushes what a name of the store points at: layers and configs first, then manifests by digest, the tag last. Nothing
 * is sent before all of it was found in the store.
 *
 * @returns the descriptor that the reference points at now
 * @throws ImageError as `RemoteRegistry` and `ContentStore` do
 */
export async function pushImage(
  store: ContentStore,
  name: string,
  reference: Reference,
  remote: RemoteRegistry,
  options: TransferOptions = {},
): Promise<Descriptor> {
  const root = await store.resolve(name);
  if (root === undefined) {
    throw new ImageError('NOT_FOUND', `the store has no image called ${name}`, { hint: 'uk images lists what it has' });
  }
  const all = await wholeContent(store, root);
  const blobs = all.filter(({ mediaType }) => !isManifestType(mediaType));
  await concurrently(blobs, options.concurrency ?? DEFAULT_CONCURRENCY, options.signal, async (blob, signal) => {
    await pushBlob(store, reference.repository, blob, remote, { ...options, signal });
  });
  // Children come before their parents; what the tag points at is the last of them.
  for (const manifest of all.filter(({ mediaType }) => isManifestType(mediaType))) {
    const report = new Report(manifest, options);
    const bytes = await store.read(manifest.digest, MANIFEST_LIMIT);
    const isRoot = manifest.digest === root.digest;
    const identifier = isRoot ? (reference.tag ?? manifest.digest) : manifest.digest;
    await remote.pushManifest(reference.repository, identifier, bytes, manifest.mediaType, abort(options));
    report.done('transferred');
  }
  return root;
}

async function pushBlob(
  store: ContentStore,
  repository: string,
  blob: Descriptor,
  remote: RemoteRegistry,
  options: TransferOptions,
): Promise<void> {
  const report = new Report(blob, options);
  const outcome = await remote.pushBlob(repository, blob, () => store.stream(blob.digest), {
    onProgress: (sent) => report.progress(sent),
    ...abort(options),
  });
  report.done(outcome === 'uploaded' ? 'transferred' : outcome);
}

function abort({ signal }: TransferOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
