// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../../descriptor.ts';
import { ImageError } from '../../errors.ts';
import type { Session } from '../session.ts';
import { discard, type HttpAnswer, networkError } from '../transport.ts';
import type { BlobAnswer, Range } from './blob-range.ts';
import { withoutStalls } from './without-stalls.ts';

export interface BlobRequest {
  url: URL;
  descriptor: Descriptor;
  scope: string;
  what: string;
  /** Leave it out for all of the blob. */
  range: Range | undefined;
  /** The range must be of this representation, or all of the blob comes. */
  etag?: string | undefined;
  signal: AbortSignal | undefined;
}

/** Some servers refuse what they could ignore. */
const NO_RANGES = [400, 416, 501];

/**
 * Asks for a blob, or for a closed range of it (`bytes=N-M`), which some servers and caches need to answer well.
 *
 * @throws ImageError
 */
export async function requestBlob(session: Session, request: BlobRequest): Promise<BlobAnswer> {
  const { range, descriptor, etag } = request;
  if (range === undefined) return checked(session, await send(session, request, {}, [200]), request);
  const headers = {
    range: `bytes=${range.start}-${range.end - 1}`,
    ...(etag === undefined ? {} : { 'if-range': etag }),
  };
  const answer = await send(session, request, headers, [200, 206, ...NO_RANGES]);
  if (!NO_RANGES.includes(answer.status)) return checked(session, answer, request);
  await answer.body.dump();
  const whole = { ...request, range: { start: 0, end: descriptor.size } };
  return checked(session, await send(session, whole, {}, [200]), whole);
}

async function send(
  session: Session,
  { url, scope, what, signal }: BlobRequest,
  headers: Record<string, string>,
  expect: number[],
): Promise<HttpAnswer> {
  // What is compressed on the way would not be the bytes that the digest is of.
  const all = { 'accept-encoding': 'identity', ...headers };
  return await session.call({ method: 'GET', url, headers: all, scope, expect, what, signal });
}

function checked(session: Session, answer: HttpAnswer, request: BlobRequest): BlobAnswer {
  const { endpoint, readTimeoutMs } = session.options;
  try {
    const { start, end } = answeredRange(answer, request);
    const etag = answer.headers.etag;
    return {
      start,
      end,
      etag: etag?.startsWith('"') ? etag : undefined,
      origin: endpoint.origin,
      body: readable(withoutStalls(answer.body, readTimeoutMs, endpoint.host), endpoint, request.signal),
    };
  } catch (error) {
    discard(answer);
    throw error;
  }
}

function answeredRange({ status, headers }: HttpAnswer, { descriptor, what, range }: BlobRequest): Range {
  const { size } = descriptor;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ImageError('REGISTRY_ERROR', `${what}: the registry sends it encoded as ${encoding.slice(0, 50)}`);
  }
  if (status === 206) {
    const said = headers['content-range'];
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(said ?? '') ?? [];
    if (total !== undefined && total !== '*' && Number(total) !== size) throw otherSize(what, total, size);
    if (first === undefined || Number(first) !== range?.start || Number(last) >= range.end) {
      throw new ImageError(
        'REGISTRY_ERROR',
        `${what}: the registry sent another range than the one that was asked for: ${said?.slice(0, 100)}`,
      );
    }
    return { start: range.start, end: Number(last) + 1 };
  }
  if (/\bhtml\b/i.test(headers['content-type'] ?? '')) {
    throw new ImageError('REGISTRY_ERROR', `${what}: a web page came instead of the blob`, {
      hint: 'a proxy or a login page may stand before the registry',
    });
  }
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== size) throw otherSize(what, length, size);
  return { start: 0, end: size };
}

function otherSize(what: string, found: string, size: number): ImageError {
  return new ImageError('SIZE_MISMATCH', `${what}: the registry has ${found} bytes, the manifest says ${size}`);
}

async function* readable(
  body: AsyncIterable<Buffer>,
  endpoint: URL,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    throw networkError(error, endpoint, signal);
  }
}
