// SPDX-License-Identifier: Apache-2.0

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ask } from './request.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function serve(answer: (socket: Socket, count: number) => void): Promise<number> {
  let count = 0;
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    count += 1;
    answer(socket, count);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

test('asks again after silence, a closed connection and a wrong answer', async () => {
  const port = await serve((socket, count) => {
    if (count === 2) socket.destroy();
    else if (count === 3) socket.end('not yet');
    else if (count > 3) socket.write('+OK');
  });
  expect(await ask({ port, send: 'PING', answer: /^\+OK/, timeoutMs: 20_000 })).toBe('+OK');
});

test('says the last answer when the time is over', async () => {
  const port = await serve((socket) => socket.end('never'));
  await expect(ask({ port, send: 'PING', answer: /^\+OK/, timeoutMs: 300 })).rejects.toThrow('the last was "never"');
});

test('stops when the server has ended', async () => {
  const ended = AbortSignal.abort();
  await expect(ask({ port: 1, send: '', answer: /./, timeoutMs: 60_000, signal: ended })).rejects.toThrow('port 1');
});
