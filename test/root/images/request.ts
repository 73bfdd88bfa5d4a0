// SPDX-License-Identifier: Apache-2.0
// One question to a server over TCP, asked again until the answer is right. As a program, for another network namespace:
// `node request.ts PORT MILLISECONDS BASE64 REGEX`.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Question {
  port: number;
  send: string | Uint8Array;
  answer: RegExp;
  timeoutMs: number;
  /** Ends the waiting, for a server that has ended. */
  signal?: AbortSignal;
}

/** @returns the right answer, as Latin-1 @throws Error with the last answer if none was right in time */
export async function ask({ port, send, answer, timeoutMs, signal }: Question): Promise<string> {
  const end = performance.now() + timeoutMs;
  let last = 'none';
  // A forwarded connection that came before the server listens may get its answer late or never: a new one soon gets it.
  let patienceMs = 1000;
  while (performance.now() < end && signal?.aborted !== true) {
    last = await askOnce(port, send, answer, patienceMs);
    if (answer.test(last)) return last;
    patienceMs = Math.min(patienceMs * 2, 30_000);
    await sleep(200);
  }
  throw new Error(`port ${port}: no right answer; the last was ${JSON.stringify(last.slice(0, 500))}`);
}

function askOnce(port: number, send: string | Uint8Array, answer: RegExp, silentMs: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1', () => socket.write(send));
  let text = '';
  socket.setTimeout(silentMs, () => socket.destroy());
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
    // Not every server closes the connection after its answer.
    if (answer.test(text)) socket.destroy();
  });
  socket.on('error', (error) => {
    text ||= error.message;
  });
  socket.on('close', () => resolve(text));
  return promise;
}

if (import.meta.main) {
  const [port, timeoutMs, send = '', answer = ''] = process.argv.slice(2);
  const question = { port: Number(port), timeoutMs: Number(timeoutMs), send: Buffer.from(send, 'base64') };
  try {
    await ask({ ...question, answer: new RegExp(answer) });
  } catch (error) {
    console.error(String(error));
    process.exitCode = 1;
  }
}
