// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from 'node:net';
import { PullerError, type PullerErrorCode } from '../../errors.ts';
import type { Answer, Conversation, Request } from './protocol.ts';
import { shortPath } from './short-path.ts';

export interface AskOptions {
  /** How long the answer may take. Default: for ever. */
  limitMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** What is answered where the supervisor is not there, or ends before it has answered. */
export const GONE = 'gone';

/**
 * Asks a supervisor.
 *
 * @param path of its control port
 * @throws PullerError `SUPERVISOR_SILENT`; what the supervisor answers with; the signal's reason
 */
export async function ask(path: string, request: Request, options: AskOptions = {}): Promise<Answer | typeof GONE> {
  const line = await exchange(path, `${JSON.stringify(request)}\n`, options);
  return line === undefined ? GONE : accepted(line);
}

/** @throws PullerError what the supervisor answers with */
function accepted(line: string): Extract<Answer, { ok: true }> {
  const answer = JSON.parse(line) as Answer;
  if (answer.ok) return answer;
  const { code, message, hint } = answer.reason;
  throw new PullerError(code as PullerErrorCode, message, hint === undefined ? {} : { hint });
}

/** So long a supervisor may take to begin a conversation. */
const BEGIN_LIMIT_MS = 10_000;

/**
 * Begins a conversation with a supervisor.
 *
 * @returns its answer, and the connection, which does not flow yet
 * @throws PullerError `SUPERVISOR_SILENT`; what the supervisor answers with
 */
export function converse(
  path: string,
  request: Conversation,
): Promise<{ answer: Extract<Answer, { ok: true }>; socket: Socket } | typeof GONE> {
  return new Promise((resolve, reject) => {
    let short: ReturnType<typeof shortPath>;
    try {
      short = shortPath(path);
    } catch {
      resolve(GONE);
      return;
    }
    const socket = connect({ path: short.path, allowHalfOpen: true });
    const late = setTimeout(() => {
      socket.destroy();
      reject(silent(BEGIN_LIMIT_MS));
    }, BEGIN_LIMIT_MS);
    socket.once('close', () => {
      clearTimeout(late);
      short.close();
      resolve(GONE);
    });
    // How it ended is seen from its end.
    socket.on('error', () => {});
    socket.on('end', () => socket.writable && socket.end());
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    firstLine(socket, (line) => {
      clearTimeout(late);
      try {
        resolve({ answer: accepted(line), socket });
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    });
  });
}

/** What stands behind the line stays in the connection, which is paused. */
function firstLine(socket: Socket, then: (line: string) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const receive = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf('\n');
    if (end < 0) return;
    socket.off('data', receive).pause();
    const rest = bytes.subarray(end + 1);
    if (rest.length > 0) socket.unshift(rest);
    then(bytes.toString('utf8', 0, end));
  };
  socket.on('data', receive);
}

/** Whether something listens at a control port. */
export async function answers(path: string): Promise<boolean> {
  try {
    return (await ask(path, { verb: 'identify' }, { limitMs: 2_000 })) !== GONE;
  } catch {
    // It is there, and cannot say more.
    return true;
  }
}

function exchange(path: string, line: string, { limitMs, signal }: AskOptions): Promise<string | undefined> {
  let short: ReturnType<typeof shortPath>;
  try {
    short = shortPath(path);
  } catch {
    return Promise.resolve(undefined);
  }
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(short.path);
    const timer =
      limitMs === undefined
        ? undefined
        : setTimeout(() => {
            done(() => reject(silent(limitMs)));
          }, limitMs);
    const abort = (): void => done(() => reject(signal?.reason));
    const done = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      settle();
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(line));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) done(() => resolve(text));
    });
    socket.on('error', () => done(() => resolve(undefined)));
    socket.on('close', () => {
      short.close();
      done(() => resolve(undefined));
    });
  });
}

function silent(limitMs: number): PullerError {
  return new PullerError('SUPERVISOR_SILENT', `the instance's supervisor did not answer within ${limitMs / 1000} s`, {
    hint: 'something has stopped it, or the machine is very busy; uk rm -f removes the instance all the same',
  });
}
