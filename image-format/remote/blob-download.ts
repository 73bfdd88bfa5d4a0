// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { Session } from './session.ts';
import { discard, type HttpAnswer, networkError } from './transport.ts';

export interface Download {
  url: URL;
  descriptor: Descriptor;
  scope: string;
  what: string;
  /** Where to begin. */
  offset: number;
  signal: AbortSignal | undefined;
}

/**
 * The bytes of a blob as they come, from `offset` on. After a cut the next request asks for the rest; its answer must
 * be of the same blob and begin where the last one stopped.
 *
 * @throws ImageError
 */
export async function* downloadBlob(session: Session, download: Download): AsyncGenerator<Buffer, void, undefined> {
  const { descriptor, signal, what } = download;
  const { attempts, endpoint } = session.options;
  let { offset } = download;
  let etag: string | undefined;
  let failures = 0;
  while (offset < descriptor.size || (descriptor.size === 0 && failures === 0)) {
    const before = offset;
    let cause: unknown;
    const answer = await request(session, download, offset, etag);
    const skip = acceptAnswer(answer, download, offset);
    etag ??= strongEtag(answer);
    try {
      for await (const chunk of afterSkipping(answer.body, skip)) {
        offset += chunk.length;
        yield chunk;
      }
      if (offset >= descriptor.size) return;
    } catch (error) {
      if (!session.mayRetry(error, signal)) throw networkError(error, endpoint, signal);
      cause = error;
    }
    failures = offset > before ? 1 : failures + 1;
    if (failures >= attempts) {
      const message = `${what}: the registry stops after ${offset} of ${descriptor.size} bytes`;
      throw new ImageError('REGISTRY_ERROR', message, { cause });
    }
    await session.pause(failures, signal);
  }
}

async function request(
  session: Session,
  { url, scope, what, signal }: Download,
  offset: number,
  etag: string | undefined,
): Promise<HttpAnswer> {
  const range = offset === 0 ? {} : { range: `bytes=${offset}-`, ...(etag === undefined ? {} : { 'if-range': etag }) };
  return await session.call({
    method: 'GET',
    url,
    // What is compressed on the way would not be the bytes that the digest is of.
    headers: { 'accept-encoding': 'identity', ...range },
    scope,
    expect: offset === 0 ? [200] : [200, 206],
    what,
    signal,
  });
}

function acceptAnswer(answer: HttpAnswer, download: Download, offset: number): number {
  try {
    return checkAnswer(answer, download, offset);
  } catch (error) {
    discard(answer);
    throw error;
  }
}

/** @returns how many bytes of this answer were there already: a server may ignore a range and send everything */
function checkAnswer({ status, headers }: HttpAnswer, { descriptor, what }: Download, offset: number): number {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ImageError('REGISTRY_ERROR', `${what}: the registry sends it encoded as ${encoding}`);
  }
  if (status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
    const total = range?.[3];
    if (Number(range?.[1]) !== offset || (total !== '*' && Number(total) !== descriptor.size)) {
      throw new ImageError(
        'REGISTRY_ERROR',
        `${what}: the registry sent another range than the one that was asked for: ${headers['content-range']}`,
      );
    }
    return 0;
  }
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== descriptor.size) {
    throw new ImageError(
      'SIZE_MISMATCH',
      `${what}: the registry has ${length} bytes, the manifest says ${descriptor.size}`,
    );
  }
  return offset;
}

function strongEtag({ headers }: HttpAnswer): string | undefined {
  const etag = headers.etag;
  return etag?.startsWith('"') ? etag : undefined;
}

async function* afterSkipping(chunks: AsyncIterable<Buffer>, skip: number): AsyncGenerator<Buffer, void, undefined> {
  let rest = skip;
  for await (const chunk of chunks) {
    const dropped = Math.min(rest, chunk.length);
    rest -= dropped;
    if (dropped < chunk.length) yield chunk.subarray(dropped);
  }
}
