// SPDX-License-Identifier: Apache-2.0
import {
  type Descriptor,
  type Digest,
  ImageError,
  type ManifestDocument,
  MEDIA_TYPE,
  parseForeignManifest,
  parseManifestDocument,
} from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';

/** distribution-spec, "Pushing Manifests": at least 4 MB must be taken; more is refused. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

const INDEXES: readonly string[] = [MEDIA_TYPE.index, MEDIA_TYPE.dockerManifestList];
const MANIFESTS: readonly string[] = [MEDIA_TYPE.manifest, MEDIA_TYPE.dockerManifest];

/** Layers that a registry need not hold (image-spec layer.md, "Non-Distributable Layers", and Docker's foreign ones). */
const ELSEWHERE =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar(?:\+.*)?|docker\.image\.rootfs\.foreign\.diff\.tar(?:\.gzip)?)$/;

export interface ManifestContent {
  document: ManifestDocument;
  /** Without parameters. */
  mediaType: string;
  subject: Digest | undefined;
  /** What the repository must hold before it takes the manifest, and what it keeps for it. */
  needs: Need[];
}

export interface Need {
  digest: Digest;
  /** Bytes, as the descriptor says. */
  size: number;
  /** `either`: an index may list what is no manifest (as build caches do). */
  kind: 'blob' | 'manifest' | 'either';
  /** The manifest is taken without it; where the repository does hold it, it is kept. */
  optional?: boolean;
}

/**
 * Reads a manifest that a client sends. It is taken only if every client can read it, and reads the same in it.
 *
 * @param contentType as the client sent it, if it did
 * @throws RegistryError `MANIFEST_INVALID`, `MANIFEST_TOO_LARGE`
 */
export function readPushedManifest(bytes: Uint8Array, contentType: string | undefined): ManifestContent {
  if (bytes.length > MAX_MANIFEST_BYTES) throw tooLarge();
  return contentOf(bytes, contentType, parseForeignManifest);
}

/**
 * Reads a manifest that the registry holds. An earlier version may have taken what this one would refuse.
 *
 * @throws RegistryError `MANIFEST_INVALID`
 */
export function readStoredManifest(bytes: Uint8Array, mediaType: string): ManifestContent {
  return contentOf(bytes, mediaType, parseManifestDocument);
}

function contentOf(
  bytes: Uint8Array,
  contentType: string | undefined,
  read: typeof parseManifestDocument,
): ManifestContent {
  const sent = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  const document = parse(() => read(bytes, sent === '' ? undefined : sent));
  const { value, kind } = document;
  const mediaType = sent || value.mediaType || (kind === 'index' ? MEDIA_TYPE.index : MEDIA_TYPE.manifest);
  const needs: Need[] =
    kind === 'index'
      ? document.value.manifests.map((child) => ({ digest: child.digest, size: child.size, kind: kindOfChild(child) }))
      : [document.value.config, ...document.value.layers].map(({ digest, size, mediaType }) => ({
          digest,
          size,
          kind: 'blob' as const,
          ...(ELSEWHERE.test(mediaType) ? { optional: true } : {}),
        }));
  return { document, mediaType, subject: value.subject?.digest, needs: onceEach(needs) };
}

function onceEach(needs: Need[]): Need[] {
  return [
    ...new Map(
      needs.map((need) => [`${need.kind} ${need.optional ?? false} ${need.size} ${need.digest}`, need]),
    ).values(),
  ];
}

export function tooLarge(): RegistryError {
  return new RegistryError('MANIFEST_TOO_LARGE', `a manifest has at most ${MAX_MANIFEST_BYTES} bytes`);
}

function kindOfChild(child: Descriptor): Need['kind'] {
  return INDEXES.includes(child.mediaType) || MANIFESTS.includes(child.mediaType) ? 'manifest' : 'either';
}

function parse(read: () => ManifestDocument): ManifestDocument {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new RegistryError('MANIFEST_INVALID', error.message, { cause: error });
  }
}
