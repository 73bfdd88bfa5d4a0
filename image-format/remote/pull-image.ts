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
import { type Line, openLine } from './fetch/line.ts';
import { checkSpace, planTransfer } from './fetch/plan.ts';
import { pullBlob } from './fetch/pull-blob.ts';
import { pullSignatures } from './fetch/pull-signatures.ts';
import type { PullSource } from './remote.ts';
import { type Pulled, Report, type TransferOptions, type TransferPlan } from './transfer.ts';

/** Small layers wait for answers more than for bytes. How many bytes are on the way is bounded by the line. */
const BLOBS_AT_ONCE = 6;

export interface PullOptions extends TransferOptions {
  /** Which manifest of an index. Default: its first. */
  profile?: string;
  /** Called once the manifest is known. */
  onPlan?: (plan: TransferPlan) => void;
  /** Whether its signatures are fetched, too. Default: no. */
  signatures?: boolean;
  /** The line, shared by all that is pulled at once. Default: one of its own. */
  line?: Line;
  /** The name that the image gets in the store. Default: the reference's own. */
  name?: (found: Descriptor) => string;
}

/**
 * Pulls an image into the store: every blob is verified, what is there is not fetched again, what was received in part is
 * gone on with, and the name appears when everything is there.
 *
 * @throws ImageError as `PullSource` and `ContentStore` do
 */
export async function pullImage(
  reference: Reference,
  remote: PullSource,
  store: ContentStore,
  options: PullOptions = {},
): Promise<Pulled> {
  try {
    return await pull(reference, remote, store, options);
  } catch (error) {
    const name = formatReference(reference);
    if (!(error instanceof ImageError) || error.message.includes(remote.registry) || error.code === 'STORE_IO')
      throw error;
    // What checks content does not know where it comes from.
    throw new ImageError(error.code, `pulling ${name}: ${error.message}`, { cause: error, hint: error.hint });
  }
}

async function pull(
  reference: Reference,
  remote: PullSource,
  store: ContentStore,
  options: PullOptions,
): Promise<Pulled> {
  const { repository } = reference;
  const { signal, concurrency = BLOBS_AT_ONCE, line = openLine() } = options;
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
  const name = options.name?.(root.descriptor) ?? formatReference(reference);
  const plan = await planTransfer(store, name, [config, ...layers]);
  options.onPlan?.(plan);
  await checkSpace(store, plan);
  const to = { repository, remote, store, line, ranges: { known: false } };
  await pullBlob(config, to, options);
  // An image for other machines costs no layer.
  if (isImageConfig(config)) checkPlatform(manifest, await store.read(config.digest, MANIFEST_LIMIT));
  await concurrently(layers, concurrency, signal, async (layer, either) => {
    await pullBlob(layer, to, { ...options, signal: either });
  });
  for (const document of documents) {
    const report = new Report(document.descriptor, options);
    await store.write(document.descriptor, Readable.from([document.bytes]));
    report.done('transferred');
  }
  await checkComplete(store, [config, ...layers, ...documents.map(({ descriptor }) => descriptor)]);
  if (options.signatures) {
    for (const { descriptor } of documents) await pullSignatures(descriptor.digest, to, options);
  }
  await store.tag(name, root.descriptor);
  return { descriptor: root.descriptor, manifest, name };
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
