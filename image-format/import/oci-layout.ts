// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ANNOTATION } from '../annotations.ts';
import { checkPlatform, isImageConfig } from '../check-image.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { type FetchedDocument, imageContent } from '../image-content.ts';
import { MANIFEST_LIMIT } from '../layout/reach.ts';
import type { ContentStore } from '../layout/store.ts';
import { type Index, parseForeignManifest } from '../manifest.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { type Expected, verifyBytes } from '../verified-stream.ts';
import { openFile, readSmallFile } from './host-file.ts';
import type { LayoutSource } from './source.ts';

/** Where containerd and BuildKit write an image's full name; the name that the specification knows is then the tag. */
const CONTAINERD_NAME = 'io.containerd.image.name';

/**
 * Takes an image from an OCI image layout, byte for byte.
 *
 * @throws ImageError as `importImage`
 * @see image-spec image-layout.md
 */
export async function importLayout(
  store: ContentStore,
  source: LayoutSource,
  options: { signal?: AbortSignal },
): Promise<Descriptor> {
  const { folder } = source;
  await checkVersion(folder);
  const root = await rootOf(source);
  const { manifest, config, layers, documents } = await imageContent(root, (chosen) => readDocument(folder, chosen));
  if (isImageConfig(config)) checkPlatform(manifest, await readVerified(folder, config));
  for (const blob of [config, ...layers]) {
    // What the store has already is not read.
    await store.write(blob, await openBlob(folder, blob.digest), options);
  }
  for (const { descriptor, bytes } of documents) await store.write(descriptor, Readable.from([bytes]), options);
  return root.descriptor;
}

async function checkVersion(folder: string): Promise<void> {
  const text = await readSmallFile(join(folder, 'oci-layout'), 4096).catch((cause) => {
    if (!(cause instanceof ImageError) || cause.code !== 'SOURCE_INVALID') throw cause;
    throw new ImageError('LAYOUT_INVALID', 'not an OCI image layout: it has no file oci-layout', {
      cause,
      hint: 'name the folder that holds oci-layout, index.json and blobs',
    });
  });
  if (/"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(text.toString('utf8'))) return;
  throw new ImageError('LAYOUT_INVALID', 'not an OCI image layout of version 1');
}

async function rootOf({ folder, tag, digest }: LayoutSource): Promise<FetchedDocument> {
  const document = parseForeignManifest(
    await readSmallFile(join(folder, 'index.json'), MANIFEST_LIMIT),
    MEDIA_TYPE.index,
  );
  const { manifests } = document.value as Index;
  if (digest !== undefined) {
    const named = manifests.find((descriptor) => descriptor.digest === digest);
    return named === undefined ? await readUnnamed(folder, digest) : await readDocument(folder, named);
  }
  const found = tag === undefined ? manifests : manifests.filter((descriptor) => namesOf(descriptor).includes(tag));
  const [only] = found;
  // A tool may list one manifest under several names.
  if (only !== undefined && found.every((other) => other.digest === only.digest))
    return await readDocument(folder, only);
  const what = tag === undefined ? `it holds ${found.length} images` : `no image is called ${JSON.stringify(tag)}`;
  const several = tag !== undefined && found.length > 1 ? `${found.length} images are called ${tag}` : what;
  throw new ImageError('NOT_FOUND', `${several}: ${listed(found.length > 1 ? found : manifests)}`, {
    hint: `write oci:${folder}:TAG or oci:${folder}@DIGEST`,
  });
}

function namesOf({ annotations }: Descriptor): string[] {
  return [annotations?.[ANNOTATION.refName], annotations?.[CONTAINERD_NAME]].filter((name) => name !== undefined);
}

function listed(manifests: readonly Descriptor[]): string {
  if (manifests.length === 0) return 'its index.json is empty';
  return manifests.map((descriptor) => printable(namesOf(descriptor)[0]) ?? descriptor.digest).join(', ');
}

/** Names come from a foreign file and go to a terminal. */
function printable(name: string | undefined): string | undefined {
  return name !== undefined && /^[!-~]{1,255}$/.test(name) ? name : undefined;
}

/** A manifest that index.json does not list itself, such as one of an index. */
async function readUnnamed(folder: string, digest: Digest): Promise<FetchedDocument> {
  const bytes = await readVerified(folder, { digest });
  const { kind, value } = parseForeignManifest(bytes);
  const mediaType = value.mediaType ?? (kind === 'index' ? MEDIA_TYPE.index : MEDIA_TYPE.manifest);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

async function readDocument(folder: string, listed: Descriptor): Promise<FetchedDocument> {
  const { mediaType, digest, size } = listed;
  const bytes = await readVerified(folder, listed);
  parseForeignManifest(bytes, mediaType);
  // What index.json says of it besides belongs to that folder.
  return { descriptor: { mediaType, digest, size }, bytes };
}

async function readVerified(folder: string, { digest, size }: Expected): Promise<Buffer> {
  const bytes = await readSmallFile(blobPath(folder, digest), MANIFEST_LIMIT).catch((error) => {
    throw lacking(digest, error);
  });
  verifyBytes(bytes, { digest, ...(size === undefined ? {} : { size }) });
  return bytes;
}

async function openBlob(folder: string, digest: Digest): Promise<Readable> {
  return await openFile(blobPath(folder, digest)).catch((error) => {
    throw lacking(digest, error);
  });
}

/** A digest was checked when it was read: its parts are safe as names of files. */
function blobPath(folder: string, digest: Digest): string {
  return join(folder, 'blobs', digestAlgorithm(digest), digestHex(digest));
}

function lacking(digest: Digest, error: unknown): unknown {
  if (!(error instanceof ImageError) || error.code !== 'SOURCE_INVALID') return error;
  return new ImageError('NOT_FOUND', `it does not have ${digest}, which its image needs`, { cause: error });
}
