// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { backoff, pause } from './backoff.ts';
import { requestBlob } from './fetch/blob-answer.ts';
import type { Session } from './session.ts';

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
  const { attempts, backoffMs } = session.options;
  const { size } = descriptor;
  let { offset } = download;
  let etag: string | undefined;
  let failures = 0;
  while (offset < size || (size === 0 && failures === 0)) {
    const before = offset;
    let cause: unknown;
    const range = offset === 0 ? undefined : { start: offset, end: size };
    const answer = await requestBlob(session, { ...download, range, etag });
    etag ??= answer.etag;
    try {
      for await (const chunk of afterSkipping(answer.body, offset - answer.start)) {
        offset += chunk.length;
        yield chunk;
      }
      if (offset >= size) return;
    } catch (error) {
      if (signal?.aborted || !isCut(error)) throw error;
      cause = error;
    }
    failures = offset > before ? 1 : failures + 1;
    if (failures >= attempts) {
      const message = `${what}: the registry stops after ${offset} of ${size} bytes`;
      throw new ImageError('REGISTRY_ERROR', message, { cause });
    }
    await pause(backoff(failures, backoffMs), signal);
  }
}

function isCut(error: unknown): boolean {
  return error instanceof ImageError && error.code === 'REGISTRY_UNREACHABLE';
}

async function* afterSkipping(chunks: AsyncIterable<Buffer>, skip: number): AsyncGenerator<Buffer, void, undefined> {
  let rest = skip;
  for await (const chunk of chunks) {
    const dropped = Math.min(rest, chunk.length);
    rest -= dropped;
    if (dropped < chunk.length) yield chunk.subarray(dropped);
  }
}
