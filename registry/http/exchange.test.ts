// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { bodyOf } from './exchange.ts';

test('a body frees the memory of a chunk that is released, and nothing that somebody else still uses', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sent = request({ port, host: '127.0.0.1', method: 'PUT' });
  sent.end(Buffer.alloc(1_000_000, 'x'));
  const [received, response] = await once(server, 'request');
  const body = bodyOf(received as IncomingMessage);
  let bytes = 0;
  for await (const chunk of body.source) {
    bytes += chunk.length;
    expect(chunk.every((byte) => byte === 0x78)).toBe(true);
    body.release?.(chunk);
    expect(chunk.length).toBe(0);
  }
  expect(bytes).toBe(1_000_000);
  const part = Buffer.alloc(100, 'y').subarray(0, 50);
  body.release?.(part);
  expect(part.toString()).toBe('y'.repeat(50));
  response.end();
  const [answer] = await once(sent, 'response');
  answer.resume();
  server.close();
  await once(server, 'close');
});
