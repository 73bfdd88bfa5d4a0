// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestOf, isDigest } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { parseForeignManifest } from '../manifest.ts';
import { MANIFEST_MEDIA_TYPES, MEDIA_TYPE } from '../media-types.ts';
import { verifyBytes } from '../verified-stream.ts';
import { type HttpAnswer, networkError } from './transport.ts';

export const MANIFEST_ACCEPT = MANIFEST_MEDIA_TYPES.join(', ');

/** distribution-spec, "Pushing Manifests": registries need not take larger ones. */
const MAX_MANIFEST = 4 * 1024 * 1024;

/** What a HEAD says, or undefined where it does not say all of it. */
export function headDescriptor({ headers }: HttpAnswer, identifier: string): Descriptor | undefined {
  const mediaType = essence(headers['content-type']);
  const digest = headers['docker-content-digest'];
  const size = Number(headers['content-length'] ?? Number.NaN);
  if (mediaType === undefined || !MANIFEST_MEDIA_TYPES.includes(mediaType)) return undefined;
  if (digest === undefined || !isDigest(digest) || !Number.isSafeInteger(size) || size <= 0) return undefined;
  return isDigest(identifier) && identifier !== digest ? undefined : { mediaType, digest, size };
}

/** @throws ImageError `REGISTRY_ERROR`, `REGISTRY_UNREACHABLE` */
export async function readManifest(
  answer: HttpAnswer,
  what: string,
  registry: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const type = essence(answer.headers['content-type']);
  if (type === 'text/html') {
    await answer.body.dump();
    throw new ImageError('REGISTRY_ERROR', `${registry} is not a registry: ${what}: it answers with a web page`, {
      hint: 'check the host and the port',
    });
  }
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of answer.body) {
      size += piece.length;
      if (size > MAX_MANIFEST) {
        throw new ImageError('REGISTRY_ERROR', `${what}: the manifest has more than ${MAX_MANIFEST} bytes`);
      }
      pieces.push(piece);
    }
  } catch (error) {
    throw networkError(error, new URL(`http://${registry}`), signal);
  }
  return Buffer.concat(pieces);
}

/**
 * Checks a manifest against what was asked for and what the registry says of it.
 *
 * @throws ImageError `DIGEST_MISMATCH`, `MANIFEST_INVALID`, `MEDIA_TYPE_UNSUPPORTED`
 */
export function describeManifest(answer: HttpAnswer, bytes: Buffer, identifier: string, what: string): Descriptor {
  const said = answer.headers['docker-content-digest'];
  const wanted: Digest | undefined = isDigest(identifier)
    ? identifier
    : said !== undefined && isDigest(said)
      ? said
      : undefined;
  if (wanted !== undefined) verifyBytes(bytes, { digest: wanted });
  const mediaType = essence(answer.headers['content-type']);
  const known = mediaType !== undefined && MANIFEST_MEDIA_TYPES.includes(mediaType) ? mediaType : undefined;
  if (
    known === undefined &&
    mediaType !== undefined &&
    !/^(?:application\/json|text\/plain|application\/octet-stream)$/.test(mediaType)
  ) {
    throw new ImageError('MEDIA_TYPE_UNSUPPORTED', `${what}: it is not an image but ${mediaType}`);
  }
  const document = parseForeignManifest(bytes, known);
  return {
    mediaType:
      known ?? document.value.mediaType ?? (document.kind === 'index' ? MEDIA_TYPE.index : MEDIA_TYPE.manifest),
    digest: wanted ?? digestOf(bytes),
    size: bytes.length,
  };
}

/** A media type without its parameters. */
function essence(contentType: string | undefined): string | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  return type === '' ? undefined : type;
}
