// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, descriptorsOf } from '../../../image-format/index.ts';
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { blobLink, manifestLink, readBlob } from '../content.ts';
import type { Document, LinkedDescriptor } from '../types/image.ts';
import { readContent } from './facts.ts';

/** Characters of a document that are shown. */
const MOST_SHOWN = 512 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;

/** The text of a manifest. */
export function manifestDocument(repository: string, manifest: StoredManifest): Document {
  const content = readContent(manifest);
  const descriptors: LinkedDescriptor[] = [];
  for (const [place, descriptor] of content === undefined ? [] : descriptorsOf(content.document)) {
    const isManifest = content?.document.kind === 'index' || place === 'subject';
    descriptors.push(linked(repository, descriptor, isManifest));
  }
  const { digest, mediaType, size, bytes } = manifest;
  return { digest, mediaType, size, ...textOf(bytes), descriptors };
}

/** The text of an image's config. @throws RegistryError `CONTENT_UNREADABLE`, `BLOB_UNKNOWN` */
export async function configDocument(
  service: Service,
  repository: string,
  manifest: StoredManifest,
): Promise<Document> {
  const document = readContent(manifest)?.document;
  if (document?.kind !== 'manifest') {
    throw new RegistryError('CONTENT_UNREADABLE', `${manifest.digest} has no config`);
  }
  const { digest, mediaType } = document.value.config;
  const { size } = await service.blobs.get(repository, digest);
  const bytes = await readBlob(service, repository, digest, MOST_BYTES);
  if (bytes === undefined) {
    throw new RegistryError('CONTENT_UNREADABLE', `the config ${digest} is too large to be shown: ${size} bytes`);
  }
  return { digest, mediaType, size, ...textOf(bytes), descriptors: [] };
}

function textOf(bytes: Buffer): { text: string; cut: boolean } {
  const text = bytes.toString('utf8');
  return { text: text.slice(0, MOST_SHOWN), cut: text.length > MOST_SHOWN };
}

function linked(repository: string, descriptor: Descriptor, isManifest: boolean): LinkedDescriptor {
  const { mediaType, digest, size, artifactType, annotations } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    link: isManifest ? manifestLink(repository, digest) : blobLink(repository, digest),
  };
}
