// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import { PullerError, type PullerErrorCode } from '../../errors.ts';
import type { Answer, Request } from './protocol.ts';
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
  if (line === undefined) return GONE;
  const answer = JSON.parse(line) as Answer;
  if (answer.ok) return answer;
  const { code, message, hint } = answer.reason;
  throw new PullerError(code as PullerErrorCode, message, hint === undefined ? {} : { hint });
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
