// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { ANNOTATION } from '../annotations.ts';
import type { Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { imageContent } from '../image-content.ts';
import { openFile } from '../import/host-file.ts';
import { detectCompression, peek, readLayer } from '../layers/index.ts';
import { MANIFEST_LIMIT, reachableFrom } from '../layout/reach.ts';
import type { ContentStore } from '../layout/store.ts';
import { type Index, parseForeignManifest } from '../manifest.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { formatReference, parseReference } from '../reference.ts';
import { FULL_NAME, SUBJECT } from './save-archive.ts';

export interface Loaded {
  /** Absent where the archive gives no full name. */
  name?: string;
  descriptor: Descriptor;
}

/**
 * Takes all images of an archive that holds an OCI image layout, plain or compressed, in one pass. Every blob is
 * verified. Nothing is named before all of it is there.
 *
 * @returns undefined if it holds no OCI image layout
 * @throws ImageError `SOURCE_INVALID`, `LAYOUT_INVALID`, `MANIFEST_INVALID`, `DIGEST_MISMATCH`, `NOT_FOUND`, `STORE_IO`
 */
export async function loadArchive(
  store: ContentStore,
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<Loaded[] | undefined> {
  const index = await takeBlobs(store, path, options);
  if (index === undefined) return undefined;
  const { manifests } = parseForeignManifest(index, MEDIA_TYPE.index).value as Index;
  const loaded: Loaded[] = [];
  const attached: [subject: string, referrer: Descriptor][] = [];
  for (const entry of manifests) {
    const { mediaType, digest, size, annotations } = entry;
    const descriptor = { mediaType, digest, size };
    const subject = annotations?.[SUBJECT];
    if (subject === undefined) {
      await checkWhole(store, descriptor);
      loaded.push({ descriptor, ...nameOf(entry) });
    } else {
      for (const part of await reachableFrom(store, descriptor, { missing: 'throw' })) await checkThere(store, part);
      attached.push([subject, descriptor]);
    }
  }
  for (const { name, descriptor } of loaded) if (name !== undefined) await store.tag(name, descriptor);
  for (const [subject, referrer] of attached) {
    // A subject of another archive, or one that is no digest at all, has nothing to do here.
    if (isDigest(subject) && (await store.stat(subject)) !== undefined) await store.attach(subject, referrer);
  }
  return loaded;
}

/** @returns the bytes of `index.json` */
async function takeBlobs(
  store: ContentStore,
  path: string,
  options: { signal?: AbortSignal },
): Promise<Buffer | undefined> {
  let index: Buffer | undefined;
  let isLayout = false;
  const file = await openFile(path);
  try {
    const { head, whole } = await peek(file);
    const reading = {
      compression: detectCompression(head),
      limit: Number.MAX_SAFE_INTEGER,
      origin: 'foreign',
    } as const;
    for await (const entry of readLayer(whole, reading)) {
      options.signal?.throwIfAborted();
      if (entry.type !== 'file') continue;
      const [, algorithm, hex] = /^blobs\/([^/]+)\/([^/]+)$/.exec(entry.path) ?? [];
      const digest = `${algorithm}:${hex}`;
      if (entry.path === 'oci-layout') isLayout = isVersion1(await small(entry));
      else if (entry.path === 'index.json') index = await small(entry);
      else if (isDigest(digest)) {
        await store.write({ digest, size: entry.size }, Readable.from(entry.content, { objectMode: false }), options);
      }
    }
  } catch (cause) {
    if (!(cause instanceof ImageError) || cause.code !== 'LAYER_INVALID') throw cause;
    throw new ImageError('LAYOUT_INVALID', `not a tar archive: ${cause.message}`, { cause });
  } finally {
    file.destroy();
  }
  return isLayout ? index : undefined;
}

async function small({ path, size, content }: { path: string; size: number; content: AsyncIterable<Buffer> }) {
  if (size > MANIFEST_LIMIT) {
    throw new ImageError('SIZE_MISMATCH', `${path} has ${size} bytes; at most ${MANIFEST_LIMIT} are allowed`);
  }
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function isVersion1(text: Buffer): boolean {
  return /"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(text.toString('utf8'));
}

/** Of an index, one image that can be used here must be whole, as after a pull. */
async function checkWhole(store: ContentStore, descriptor: Descriptor): Promise<void> {
  const read = async (one: Descriptor) => {
    await checkThere(store, one);
    const bytes = await store.read(one.digest, MANIFEST_LIMIT);
    parseForeignManifest(bytes, one.mediaType);
    return { descriptor: one, bytes };
  };
  const { config, layers } = await imageContent(await read(descriptor), read);
  for (const part of [config, ...layers]) await checkThere(store, part);
}

async function checkThere(store: ContentStore, { digest, size }: Descriptor): Promise<void> {
  if ((await store.stat(digest)) === size) return;
  throw new ImageError('NOT_FOUND', `the archive does not have ${digest}, which its image needs`);
}

/** The name that the archive gives to an image, if it is a full one: a tag alone says nothing of where it belongs. */
function nameOf({ annotations }: Descriptor): { name?: string } {
  const full = annotations?.[FULL_NAME] ?? annotations?.[ANNOTATION.refName];
  if (full === undefined || !/[/:]/.test(full)) return {};
  try {
    return { name: formatReference(parseReference(full)) };
  } catch {
    return {};
  }
}
