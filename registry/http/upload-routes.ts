// SPDX-License-Identifier: Apache-2.0
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { Body } from '../service/intake.ts';
import { checkDigest, checkRepository } from '../service/names.ts';
import { answer, bodyOf, type Exchange, parameter, warn } from './exchange.ts';
import { parseContentRange } from './range.ts';

/** POST /v2/<name>/blobs/uploads/, with `?digest=` (end-4b), `?mount=&from=` (end-11), or bare (end-4a) */
export async function startUpload(exchange: Exchange): Promise<void> {
  const { request, response, service, captures, query } = exchange;
  const repository = checkRepository(captures[0] ?? '');
  const mount = parameter(query, 'mount');
  if (mount !== undefined) {
    const digest = checkDigest(mount);
    const from = parameter(query, 'from');
    if (await service.blobs.mount(repository, digest, from === undefined ? undefined : checkRepository(from))) {
      return answerCreated(exchange, repository, digest);
    }
  }
  const given = parameter(query, 'digest');
  if (given !== undefined && mount === undefined) {
    const digest = checkDigest(given);
    await service.uploads.whole(repository, digest, bodyOf(request));
    return answerCreated(exchange, repository, digest);
  }
  const id = await service.uploads.start(repository, algorithmOf(exchange));
  answer(response, 202, { ...sessionHeaders(repository, id, 0), 'Content-Length': 0 });
}

/** GET /v2/<name>/blobs/uploads/<id> (end-13) */
export async function getUpload({ response, service, captures }: Exchange): Promise<void> {
  const [repository, id] = sessionOf(captures);
  answer(response, 204, sessionHeaders(repository, id, await service.uploads.offset(repository, id)));
}

/** PATCH /v2/<name>/blobs/uploads/<id> (end-5) */
export async function appendToUpload(exchange: Exchange): Promise<void> {
  const { response, service, captures } = exchange;
  const [repository, id] = sessionOf(captures);
  const { body, offset } = chunkOf(exchange);
  const size = await sayingWhere(exchange, repository, id, () => service.uploads.append(repository, id, body, offset));
  answer(response, 202, { ...sessionHeaders(repository, id, size), 'Content-Length': 0 });
}

/** PUT /v2/<name>/blobs/uploads/<id>?digest= (end-6) */
export async function finishUpload(exchange: Exchange): Promise<void> {
  const { service, captures, query } = exchange;
  const [repository, id] = sessionOf(captures);
  const digest = checkDigest(query.get('digest') ?? '');
  const { body, offset } = chunkOf(exchange);
  await sayingWhere(exchange, repository, id, () => service.uploads.finish(repository, id, digest, body, offset));
  answerCreated(exchange, repository, digest);
}

/** DELETE /v2/<name>/blobs/uploads/<id> (end-14) */
export async function cancelUpload({ response, service, captures }: Exchange): Promise<void> {
  const [repository, id] = sessionOf(captures);
  await service.uploads.cancel(repository, id);
  answer(response, 204, {});
}

function sessionOf(captures: readonly string[]): [repository: string, id: string] {
  return [checkRepository(captures[0] ?? ''), captures[1] ?? ''];
}

/** The body, and where the client says that it belongs. */
function chunkOf({ request }: Exchange): { body: Body; offset: number | undefined } {
  const body = bodyOf(request);
  const range = parseContentRange(request.headers['content-range']);
  if (range === undefined) return { body, offset: undefined };
  if (body.length !== undefined && body.length !== range.length) {
    throw new RegistryError(
      'SIZE_INVALID',
      `the Content-Range names ${range.length} bytes, but the body has ${body.length}`,
    );
  }
  return { body: { ...body, length: range.length }, offset: range.start };
}

/** A client that is told 416 is told where to go on as well. */
async function sayingWhere<T>(exchange: Exchange, repository: string, id: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'UPLOAD_OUT_OF_ORDER') {
      const size = await exchange.service.uploads.offset(repository, id).catch(() => undefined);
      for (const [name, value] of size === undefined ? [] : Object.entries(sessionHeaders(repository, id, size))) {
        exchange.response.setHeader(name, value);
      }
    }
    throw error;
  }
}

/** The hint of what the upload will be closed with (end-4c). Nothing but the closing PUT decides. */
function algorithmOf({ query, response }: Exchange): DigestAlgorithm | undefined {
  const hint = parameter(query, 'digest-algorithm');
  const known = DIGEST_ALGORITHMS.find((algorithm) => algorithm === hint);
  if (hint !== undefined && known === undefined) {
    warn(response, `digest-algorithm is none that this registry knows: close with ${DIGEST_ALGORITHMS.join(' or ')}`);
  }
  return known;
}

/** `Range` has no way to say "nothing yet"; `0-0` is what registries answer. */
function sessionHeaders(repository: string, id: string, size: number) {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, size - 1)}`,
    'Docker-Upload-UUID': id,
  };
}

function answerCreated({ response }: Exchange, repository: string, digest: string): void {
  answer(response, 201, {
    Location: `/v2/${repository}/blobs/${digest}`,
    'Docker-Content-Digest': digest,
    'Content-Length': 0,
  });
}
