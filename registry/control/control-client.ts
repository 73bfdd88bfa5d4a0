// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { CollectionReport, Progress } from '../service/collector/index.ts';
import { controlPath } from './control-path.ts';
import type { CollectionLine, CollectionRequest } from './messages.ts';

/** How a connection ends whose other side is gone, or that our own signal ended. */
const CUT = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ABORT_ERR']);

export interface AskOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Has the server of a storage folder collect.
 *
 * @returns undefined where no server listens in that folder
 * @throws RegistryError what the collection throws there; the signal's reason
 */
export async function askToCollect(
  root: string,
  collection: CollectionRequest,
  { signal, onProgress }: AskOptions = {},
): Promise<CollectionReport | undefined> {
  const response = await send(resolve(root), collection, signal);
  if (response === undefined) return undefined;
  const said = await lastOf(response, onProgress);
  if (said !== undefined && 'report' in said) return said.report;
  if (said !== undefined) throw failure(said.failure);
  signal?.throwIfAborted();
  throw serverEnded();
}

/** @returns undefined where the connection ended before the last line */
async function lastOf(
  response: IncomingMessage,
  onProgress: AskOptions['onProgress'],
): Promise<Exclude<CollectionLine, { progress: unknown }> | undefined> {
  try {
    for await (const line of createInterface({ input: response })) {
      const said = JSON.parse(line) as CollectionLine;
      if (!('progress' in said)) return said;
      onProgress?.(said.progress);
    }
  } catch (error) {
    // Cut in the middle of a line, or between two.
    if (!(error instanceof SyntaxError) && !CUT.has(codeOf(error))) throw error;
  } finally {
    response.destroy();
  }
  return undefined;
}

async function send(
  root: string,
  collection: CollectionRequest,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage | undefined> {
  try {
    using socket = controlPath(root);
    const asked = request({
      socketPath: socket.path,
      method: 'POST',
      path: '/collect',
      // A connection of its own: the next server of the folder listens at the same path.
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    asked.end(JSON.stringify(collection));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  } catch (error) {
    signal?.throwIfAborted();
    const code = codeOf(error);
    // No socket, or one that a server left which was killed.
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    if (CUT.has(code)) throw serverEnded(error);
    if (code !== 'EACCES') throw error;
    throw new RegistryError('STORAGE_UNAVAILABLE', `no right to speak to the server of ${root}`, {
      cause: error,
      hint: 'be the user that runs the server',
    });
  }
}

function serverEnded(cause?: unknown): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', 'the server ended before the collection was through', {
    cause,
    hint: 'the next collection goes on where it was',
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function failure({ code, message, hint }: { code: string; message: string; hint?: string | undefined }): Error {
  if (code === 'UNEXPECTED') return new Error(message);
  // What a server names is a code of the same program.
  return new RegistryError(code as RegistryErrorCode, message, hint === undefined ? {} : { hint });
}
