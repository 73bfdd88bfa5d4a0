// SPDX-License-Identifier: Apache-2.0
// Clients that send or take next to nothing, on purpose or over a bad line, by the hundred.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { memoryOf } from '../bench/registry/memory.ts';
import { call } from './call.ts';
import { pusher } from './content.ts';
import { useServers } from './server-process.ts';

const MIB = 1024 * 1024;
const { serve } = useServers();

let sockets: Socket[] = [];
let trickling: NodeJS.Timeout[] = [];
afterEach(() => {
  for (const timer of trickling) clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  [sockets, trickling] = [[], []];
});

/** A connection on which nothing is read but by `read`. */
function open(url: string): Socket {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** Sends a byte every now and then, for ever. */
function trickle(socket: Socket, begin: string, byte: string): void {
  socket.write(begin);
  trickling.push(
    setInterval(() => {
      if (!socket.destroyed) socket.write(byte);
    }, 100),
  );
}

/** Milliseconds that others wait for a push and the reading of it, the longest of several. */
async function longestWait(url: string): Promise<number> {
  let longest = 0;
  for (let at = 0; at < 10; at += 1) {
    const begun = performance.now();
    const manifest = await pusher(url).image('others', `t${at}`, `layer ${at}`);
    const { headers } = await call(url, { path: `/v2/others/manifests/t${at}` });
    expect(headers['docker-content-digest']).toBe(manifest);
    longest = Math.max(longest, performance.now() - begun);
  }
  return longest;
}

describe('hundreds of clients', () => {
  test('that send headers and bodies byte by byte hold nobody up, and cost little', { timeout: 120_000 }, async () => {
    const server = await serve('--workers', '2', '--set', 'connections.idle=60s');
    await longestWait(server.url);
    const before = await memoryOf(server.pid);
    const alone = await longestWait(server.url);
    const upload = await pusher(server.url).upload('slow');
    for (let at = 0; at < 150; at += 1) {
      trickle(open(server.url), 'GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'x');
      const path = at === 0 ? upload : `/v2/slow/blobs/uploads/?digest=${digestOf(`${at}`)}`;
      const method = at === 0 ? 'PATCH' : 'POST';
      trickle(open(server.url), `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`, 'x');
    }
    await vi.waitFor(() => expect(sockets.every(({ connecting }) => !connecting)).toBe(true));
    // A machine at work may take ten times as long; a server that waits for slow ones takes for ever.
    expect(await longestWait(server.url)).toBeLessThan(Math.max(10 * alone, 5000));
    expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(0);
    expect((await memoryOf(server.pid)) - before).toBeLessThan(150 * MIB);
  });

  test('that never end their headers, or fall silent in their bodies, are cut', { timeout: 60_000 }, async () => {
    const server = await serve('--workers', '2', '--set', 'connections.idle=1s');
    const cut: Promise<unknown>[] = [];
    for (let at = 0; at < 100; at += 1) {
      const endless = open(server.url);
      trickle(endless, 'GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'x');
      const silent = open(server.url);
      silent.write(
        `POST /v2/slow/blobs/uploads/?digest=${digestOf(`${at}`)} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsome`,
      );
      const mute = open(server.url);
      for (const socket of [endless, silent, mute]) {
        socket.resume();
        cut.push(new Promise((resolve) => socket.on('close', resolve)));
      }
    }
    await Promise.all(cut);
    await longestWait(server.url);
    const { body } = await call(server.url, { path: '/metrics' });
    expect(body.toString()).not.toMatch(/status="5/);
  });
});

test('64 readers that take nothing of large blobs cost the server no more than a step each', {
  timeout: 120_000,
}, async () => {
  const server = await serve('--workers', '2', '--set', 'connections.idle=60s');
  const large = randomBytes(64 * MIB);
  const digest = await pusher(server.url).blob('large', large);
  const whole = await call(server.url, { path: `/v2/large/blobs/${digest}` });
  expect(digestOf(whole.body)).toBe(digest);
  const before = await memoryOf(server.pid);

  for (let at = 0; at < 64; at += 1)
    open(server.url).write(`GET /v2/large/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const readers = sockets.map((socket) => new Promise((resolve) => socket.once('readable', resolve)));
  await Promise.all(readers);
  // All that the server reads ahead it reads now: its memory stands still where it waits for the clients.
  await vi.waitFor(
    async () => {
      const now = await memoryOf(server.pid);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(Math.abs((await memoryOf(server.pid)) - now)).toBeLessThan(2 * MIB);
    },
    { timeout: 60_000 },
  );
  // What 64 blobs in memory would be is 4 GiB.
  expect((await memoryOf(server.pid)) - before).toBeLessThan(200 * MIB);
  await longestWait(server.url);

  // Nobody was forgotten: one that reads on gets the rest.
  const [last] = sockets;
  let bytes = 0;
  last?.on('data', (data) => {
    bytes += data.length;
  });
  last?.resume();
  await vi.waitFor(() => expect(bytes).toBeGreaterThan(64 * MIB), { timeout: 60_000 });
});
