// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type Descriptor,
  type Digest,
  formatReference,
  type ImageConfig,
  ImageError,
  type Manifest,
  MEDIA_TYPE,
  manifestIdentifier,
  parseImageConfig,
  parseManifestDocument,
  parseReference,
  selectManifest,
  VerifiedStream,
  verifyBytes,
} from '../../image-format/index.ts';
import type { Session } from './context.ts';
import { displayName } from './references.ts';

export interface SourceFlags {
  profile?: string;
  plainHttp?: boolean;
}

/** An image to look into, wherever it is. */
export interface ImageSource {
  /** As users write it. */
  name: string;
  /** Of the image; where the name stands for an index, of the image that was chosen. */
  digest: Digest;
  /** The manifest's bytes. */
  size: number;
  manifest: Manifest;
  /** Undefined where the config is no image's. */
  config: ImageConfig | undefined;
  /** A blob's bytes, verified as they pass. */
  blob(descriptor: Descriptor): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Where documents and blobs come from. */
interface Place {
  root(): Promise<{ descriptor: Descriptor; bytes: Buffer }>;
  document(descriptor: Descriptor): Promise<{ descriptor: Descriptor; bytes: Buffer }>;
  blob(descriptor: Descriptor): Readable;
  close(): Promise<void>;
}

const MOST_CONFIG = 4 * 1024 * 1024;

/** Opens an image of the store; one that is not there is read from its registry. Nothing is kept of that. */
export async function openImage(session: Session, text: string, flags: SourceFlags): Promise<ImageSource> {
  const place = (await inStore(session, text)) ?? (await inRegistry(session, text, flags));
  try {
    const { descriptor, manifest } = await chosen(place, flags.profile);
    const blob = (wanted: Descriptor) => verified(place.blob(wanted), wanted);
    return {
      name: displayName(formatReference(parseReference(text))),
      digest: descriptor.digest,
      size: descriptor.size,
      manifest,
      config: await configOf(manifest, blob),
      blob,
      close: () => place.close(),
    };
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function inStore(session: Session, text: string): Promise<Place | undefined> {
  const store = await session.openStore();
  const descriptor = await store.resolve(formatReference(parseReference(text)));
  if (descriptor === undefined) return undefined;
  const document = async (wanted: Descriptor) => ({ descriptor: wanted, bytes: await store.read(wanted.digest) });
  return {
    root: () => document(descriptor),
    document,
    blob: ({ digest }) => store.stream(digest),
    close: async () => {},
  };
}

async function inRegistry(session: Session, text: string, { plainHttp }: SourceFlags): Promise<Place> {
  const { openRemote } = await import('../../image-format/remote/index.ts');
  const reference = parseReference(text);
  const { registry, repository } = reference;
  const remote = openRemote({ registry, ...(plainHttp === undefined ? {} : { plainHttp }) });
  const { signal } = session;
  return {
    root: () => remote.fetchManifest(repository, manifestIdentifier(reference), { signal }),
    document: ({ digest }) => remote.fetchManifest(repository, digest, { signal }),
    blob: (descriptor) => remote.fetchBlob(repository, descriptor, { signal }),
    close: () => remote.close(),
  };
}

async function chosen(place: Place, profile?: string): Promise<{ descriptor: Descriptor; manifest: Manifest }> {
  const root = await place.root();
  const document = parseManifestDocument(root.bytes, root.descriptor.mediaType);
  if (document.kind === 'manifest') return { descriptor: root.descriptor, manifest: document.value };
  const child = await place.document(selectManifest(document.value, profile));
  verifyBytes(child.bytes, child.descriptor);
  const inner = parseManifestDocument(child.bytes, child.descriptor.mediaType);
  if (inner.kind === 'manifest') return { descriptor: child.descriptor, manifest: inner.value };
  throw new ImageError('MANIFEST_INVALID', `${root.descriptor.digest} is an index of indexes, which is not supported`);
}

async function configOf({ config }: Manifest, blob: ImageSource['blob']): Promise<ImageConfig | undefined> {
  if (config.mediaType !== MEDIA_TYPE.config && config.mediaType !== MEDIA_TYPE.dockerConfig) return undefined;
  if (config.size > MOST_CONFIG) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob(config)) chunks.push(chunk);
  return parseImageConfig(Buffer.concat(chunks));
}

function verified(source: Readable, { digest, size }: Descriptor): AsyncIterable<Uint8Array> {
  const stream = new VerifiedStream({ digest, size });
  // Whoever reads the stream gets its error.
  pipeline(source, stream).catch(() => undefined);
  return stream;
}
