// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Cell, Figure } from './scenarios.ts';

const PIECE = 64 * 1024;
const PAUSE_MS = 100;

/**
 * Clients that take a little of a large blob now and then. What counts is the server's memory meanwhile.
 *
 * @returns how many of them still were being served at the end: all, or the server gave up on some
 */
export async function readSlowly({ server, connections, seconds }: Cell, paths: string[]): Promise<Figure> {
  const readers = await Promise.all(
    Array.from({ length: connections }, (_, at) => startReader(server.port, paths[at % paths.length] ?? '/')),
  );
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    for (const { socket } of readers) socket.read(PIECE);
    await wait(PAUSE_MS);
  }
  const served = readers.filter(({ socket }) => !socket.destroyed).length;
  for (const { socket } of readers) socket.destroy();
  return { value: served, p50: Number.NaN, p99: Number.NaN };
}

function startReader(port: number, path: string): Promise<{ socket: Socket }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    // Readable, and nothing is read but by `read`: what is not taken stays with the server.
    socket.once('readable', () => {
      const head = String(socket.read(12) ?? '');
      if (head === 'HTTP/1.1 200') resolve({ socket });
      else reject(new Error(`${path}: ${head}`));
    });
  });
}
