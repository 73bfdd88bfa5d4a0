// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import { CODES } from '../error-codes.ts';

/** How long a server may take to answer or to close: it was sent everything, and no more comes. */
const PATIENCE_MS = 20_000;

/**
 * Sends bytes, and reads until the server closes.
 *
 * @param isWhole whether that is a request, which asks for the connection's end. After anything else the client closes its
 *   half, as the server would wait for more; Node then drops even a request that it is about to answer.
 * @throws Error after a while
 */
export function exchange(port: number, bytes: Buffer, isWhole: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const patience = setTimeout(() => {
      reject(new Error('neither an answer nor an end'));
      socket.destroy();
    }, PATIENCE_MS);
    socket.on('connect', () => (isWhole ? socket.write(bytes) : socket.end(bytes)));
    socket.on('data', (data) => parts.push(data));
    // A server that refuses may reset while we still send; what it said before counts.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
    });
    socket.on('close', () => {
      clearTimeout(patience);
      resolve(Buffer.concat(parts));
    });
  });
}

/**
 * Throws where an answer is not one: a 5xx, a line that is no status, an error without its JSON. Nothing at all is an
 * answer to what is no request.
 *
 * @param method of the request; undefined where it is not known to be one
 */
export function judge(answer: Buffer, method?: string): void {
  const text = answer.toString('latin1');
  if (text === '') {
    if (method !== undefined) throw new Error('no answer');
    return;
  }
  const status = Number(/^HTTP\/1\.1 ([1-5][0-9]{2}) /.exec(text)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no status: ${JSON.stringify(text.slice(0, 200))}`);
  if (status === 100) {
    judge(answer.subarray(answer.indexOf('\r\n\r\n') + 4), method);
    return;
  }
  if (status >= 500) throw new Error(`a ${status}: ${JSON.stringify(text.slice(0, 1000))}`);
  if (status < 400 || method === undefined || method === 'HEAD') return;
  const end = text.indexOf('\r\n\r\n');
  if (!/\r\ncontent-type: application\/json\r\n/i.test(text.slice(0, end + 2))) {
    throw new Error(`an error that is no JSON: ${JSON.stringify(text.slice(0, 1000))}`);
  }
  const { errors } = JSON.parse(answer.subarray(end + 4).toString()) as { errors: { code: string; message: string }[] };
  if (errors.length === 0 || errors.some(({ code, message }) => !CODES.includes(code) || typeof message !== 'string')) {
    throw new Error(`an error that does not say which: ${JSON.stringify(text.slice(0, 1000))}`);
  }
}
