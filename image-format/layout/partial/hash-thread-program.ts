// SPDX-License-Identifier: Apache-2.0
// The thread that computes digests of files while they are received. It reads them from the descriptors of its process.
import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

export type ToHashThread =
  | { kind: 'update'; id: number; algorithm: string; fd: number; start: number; end: number }
  | { kind: 'digest'; id: number; algorithm: string }
  | { kind: 'forget'; id: number };

export interface FromHashThread {
  id: number;
  digest: string;
  error?: string;
}

const STEP = 1024 * 1024;
const buffer = Buffer.allocUnsafe(STEP);
const hashes = new Map<number, Hash>();

parentPort?.on('message', (message: ToHashThread) => {
  if (message.kind === 'forget') {
    hashes.delete(message.id);
    return;
  }
  const { id } = message;
  let answer: FromHashThread;
  try {
    answer = { id, digest: handle(message) };
  } catch (error) {
    answer = { id, digest: '', error: (error as Error).message };
  }
  parentPort?.postMessage(answer);
});

function handle(message: Exclude<ToHashThread, { kind: 'forget' }>): string {
  const { id, algorithm } = message;
  const hash = hashes.get(id) ?? createHash(algorithm);
  hashes.set(id, hash);
  if (message.kind === 'digest') {
    hashes.delete(id);
    return hash.digest('hex');
  }
  const { fd, end } = message;
  for (let at = message.start; at < end; ) {
    const length = readSync(fd, buffer, 0, Math.min(STEP, end - at), at);
    if (length === 0) throw new Error('it was cut while it was read');
    hash.update(buffer.subarray(0, length));
    at += length;
  }
  return '';
}
