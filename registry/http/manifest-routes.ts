// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import { MAX_MANIFEST_BYTES, tooLarge } from '../service/manifest-content.ts';
import { checkManifestReference, checkRepository, checkTag } from '../service/names.ts';
import { answer, conditionOf, type Exchange, isNotModified, readBody, warn } from './exchange.ts';

/** A client that wants to set more tags at once than this sends another request. */
const MAX_TAGS = 100;
/** Digests that a warning names. */
const NAMED_IN_WARNING = 3;

/** GET and HEAD /v2/<name>/manifests/<reference> (distribution-spec end-3) */
export async function getManifest({ request, response, service, captures }: Exchange): Promise<void> {
  const [repository, reference] = existingOf(captures);
  const manifest = await service.manifests.get(repository, reference);
  const etag = `"${manifest.digest}"`;
  const headers = {
    'Docker-Content-Digest': manifest.digest,
    ETag: etag,
    // A tag may move at any time; what is cached has to be asked for again.
    'Cache-Control': 'tag' in reference ? 'no-cache' : 'private, max-age=3600',
  };
  if (isNotModified(request, etag)) return answer(response, 304, headers);
  const whole = { 'Content-Type': manifest.mediaType, 'Content-Length': manifest.size, ...headers };
  answer(response, 200, whole, request.method === 'HEAD' ? undefined : manifest.bytes);
}

/** PUT /v2/<name>/manifests/<reference> (end-7), by digest with any number of `?tag=`; `If-Match` and `If-None-Match` */
export async function putManifest({ request, response, service, captures, query }: Exchange): Promise<void> {
  const repository = checkRepository(captures[0] ?? '');
  const reference = checkManifestReference(captures[1] ?? '');
  const named = 'tag' in reference;
  const tags = named ? [reference.tag] : [...new Set(query.getAll('tag'))].map(checkTag);
  if (tags.length > MAX_TAGS) throw new RegistryError('TAGS_TOO_MANY', `one request may set at most ${MAX_TAGS} tags`);
  const { digest, subject, missing } = await service.manifests.put(repository, {
    bytes: await readBody(request, MAX_MANIFEST_BYTES, tooLarge),
    contentType: request.headers['content-type'],
    digest: named ? undefined : reference.digest,
    tags,
    condition: conditionOf(request),
  });
  if (named && query.has('tag'))
    warn(response, 'tag= was ignored: it counts only where a manifest is pushed by digest');
  if (missing.length > 0) warn(response, describeMissing(missing));
  answer(response, 201, {
    Location: `/v2/${repository}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(subject === undefined ? {} : { 'OCI-Subject': subject }),
    ...(named || tags.length === 0 ? {} : { 'OCI-Tag': tags }),
    'Content-Length': 0,
  });
}

/** DELETE /v2/<name>/manifests/<reference> (end-9): by digest the manifest, by tag the tag; `If-Match` */
export async function deleteManifest({ request, response, service, captures }: Exchange): Promise<void> {
  const [repository, reference] = existingOf(captures);
  if ('digest' in reference) await service.manifests.delete(repository, reference.digest, conditionOf(request));
  else await service.manifests.untag(repository, reference.tag, conditionOf(request));
  answer(response, 202, { 'Content-Length': 0 });
}

function describeMissing(missing: readonly Digest[]): string {
  const named = missing.slice(0, NAMED_IN_WARNING).join(', ');
  const more = missing.length > NAMED_IN_WARNING ? ` and ${missing.length - NAMED_IN_WARNING} more` : '';
  return `the repository does not hold ${named}${more}, which the manifest names`;
}

/** A tag that cannot be is one that is not there; only who wants to set it has to hear why. */
function existingOf(captures: readonly string[]) {
  const repository = checkRepository(captures[0] ?? '');
  try {
    return [repository, checkManifestReference(captures[1] ?? '')] as const;
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'TAG_INVALID') throw error;
    throw new RegistryError('MANIFEST_UNKNOWN', error.message, { cause: error });
  }
}
