// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { BlobPush } from './remote.ts';
import type { Session } from './session.ts';
import { networkError } from './transport.ts';

export interface Upload {
  /** `/v2/NAME/blobs/uploads/` */
  url: URL;
  descriptor: Descriptor;
  scope: string;
  what: string;
  open: () => Readable;
  /** Whether the registry has the blob by now. */
  exists: () => Promise<boolean>;
  options: BlobPush;
}

/**
 * One blob: mounted if it can be, else sent whole in one PUT. After a failure it begins anew, unless the registry turns
 * out to have it.
 *
 * @throws ImageError
 * @see distribution-spec, "Pushing blobs", "Mounting a blob from another repository"
 */
export async function uploadBlob(session: Session, upload: Upload): Promise<'exists' | 'mounted' | 'uploaded'> {
  const { signal } = upload.options;
  const { attempts, endpoint } = session.options;
  if (await upload.exists()) return 'exists';
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptUpload(session, upload);
    } catch (error) {
      if (attempt >= attempts || !(isTransient(error) || session.mayRetry(error, signal))) {
        throw networkError(error, endpoint, signal);
      }
      await session.pause(attempt, signal);
      // The answer may be what was lost, not the blob.
      if (await upload.exists()) return 'uploaded';
    }
  }
}

/** What the registry says may be over in a moment; what it says about the blob will not. */
function isTransient(error: unknown): boolean {
  return error instanceof ImageError && (error.code === 'REGISTRY_UNREACHABLE' || / \(50[0234]\b/.test(error.message));
}

async function attemptUpload(session: Session, upload: Upload): Promise<'mounted' | 'uploaded'> {
  const { descriptor, scope, what, open, options } = upload;
  const { mountFrom, signal } = options;
  const start = new URL(upload.url);
  if (mountFrom !== undefined) {
    start.searchParams.set('mount', descriptor.digest);
    start.searchParams.set('from', mountFrom);
  }
  const headers = { 'content-length': '0' };
  const opened = await session.call({ method: 'POST', url: start, headers, scope, expect: [201, 202], what, signal });
  await opened.body.dump();
  if (opened.status === 201) return 'mounted';
  const location = opened.headers.location;
  if (location === undefined) throw new ImageError('REGISTRY_ERROR', `${what}: the registry does not say where to`);
  const target = session.resolve(location, start, what);
  target.searchParams.set('digest', descriptor.digest);
  const stored = await session.call({
    method: 'PUT',
    url: target,
    headers: { 'content-length': String(descriptor.size), 'content-type': 'application/octet-stream' },
    body: () => counted(open(), options.onProgress),
    scope,
    expect: [201, 204],
    what,
    signal,
    attempts: 1,
  });
  await stored.body.dump();
  return 'uploaded';
}

function counted(source: Readable, onProgress: BlobPush['onProgress']): Readable {
  if (onProgress === undefined) return source;
  let sent = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      yield chunk;
      sent += chunk.length;
      onProgress?.(sent);
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}
