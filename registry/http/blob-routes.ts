// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import { checkDigest, checkRepository } from '../service/names.ts';
import { answer, type Exchange, isNotModified } from './exchange.ts';
import { parseRange } from './range.ts';
import { send } from './send.ts';

/** A blob's bytes are what its digest says, for all time; `private` as rights may differ by client. */
const CACHE_CONTROL = 'private, max-age=31536000, immutable';

/** How long a client may take from being sent to the store until its request gets there. */
const ELSEWHERE_SECONDS = 20 * 60;

/**
 * GET and HEAD /v2/<name>/blobs/<digest> (distribution-spec end-2). With `?redirect=no` the registry sends the bytes
 * itself where it would send a client to the store: scripts of a page may not read from another host.
 */
export async function getBlob(exchange: Exchange): Promise<void> {
  const { request, response, service, captures } = exchange;
  const repository = checkRepository(captures[0] ?? '');
  const digest = checkDigest(captures[1] ?? '');
  // Who asks only whether it is there is about to push a manifest that names it.
  const relying = request.method === 'HEAD';
  const blob = await (relying ? service.blobs.getToRely(repository, digest) : service.blobs.get(repository, digest));
  const etag = `"${digest}"`;
  const headers = {
    'Docker-Content-Digest': digest,
    ETag: etag,
    'Cache-Control': CACHE_CONTROL,
    'Accept-Ranges': 'bytes',
  };
  if (isNotModified(request, etag)) return answer(response, 304, headers);
  const whole = { ...headers, 'Content-Type': 'application/octet-stream', 'Content-Length': blob.size };
  if (relying) return answer(response, 200, whole);

  const condition = request.headers['if-range'];
  const range = condition === undefined || condition === etag ? rangeOf(exchange, blob.size) : undefined;
  if (blob.size === 0) return answer(response, 200, whole);
  const stays = exchange.query.get('redirect') === 'no';
  const elsewhere = stays ? undefined : await service.blobs.urlOf(blob, ELSEWHERE_SECONDS);
  if (elsewhere !== undefined) return answerElsewhere(exchange, digest, elsewhere);
  await using bytes = await service.blobs.read(blob, range);
  if (range === undefined) {
    response.writeHead(200, whole);
    return await send(bytes, response, blob.size);
  }
  const length = range.end - range.start + 1;
  const part = { 'Content-Length': length, 'Content-Range': `bytes ${range.start}-${range.end}/${blob.size}` };
  response.writeHead(206, { ...whole, ...part });
  await send(bytes, response, length);
}

/** Sends the client to the store; whether it may have the blob was decided here, and is decided again next time. */
function answerElsewhere({ response }: Exchange, digest: Digest, url: string): void {
  const headers = { Location: url, 'Docker-Content-Digest': digest, 'Cache-Control': 'no-store', 'Content-Length': 0 };
  answer(response, 307, headers);
}

/** DELETE /v2/<name>/blobs/<digest> (end-10) */
export async function deleteBlob({ response, service, captures }: Exchange): Promise<void> {
  const repository = checkRepository(captures[0] ?? '');
  await service.blobs.delete(repository, checkDigest(captures[1] ?? ''));
  answer(response, 202, { 'Content-Length': 0 });
}

function rangeOf({ request, response }: Exchange, size: number) {
  try {
    return parseRange(request.headers.range, size);
  } catch (error) {
    if (error instanceof RegistryError) response.setHeader('Content-Range', `bytes */${size}`);
    throw error;
  }
}
