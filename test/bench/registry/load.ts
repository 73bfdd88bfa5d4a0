// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a run of `load.c` says. Latencies are microseconds. */
export interface LoadResult {
  requests: number;
  bytes: number;
  seconds: number;
  p50: number;
  p99: number;
  max: number;
  exhausted: boolean;
}

export interface Reading {
  method: 'GET' | 'HEAD';
  paths: string[];
  /** Bytes of each answer's body. */
  length: number;
}

export interface Pushing {
  way: 'put' | 'patch';
  /** Bytes of each blob. */
  size: number;
  repository: string;
}

export interface At {
  port: number;
  connections: number;
  seconds: number;
}

/** `load.c` says how. */
const TAIL = 64;
const CHUNK = 32 * 1024;
/** More than any server takes in a second, so that the load never runs dry. */
const PUSHED_BYTES_A_SECOND = 3 * 1024 ** 3;

/** The program that makes the load, and the files that it pushes. */
export class Load {
  readonly #folder: string;
  readonly #program: string;
  readonly #bases = new Map<string, { path: string; hash: ReturnType<typeof createHash> }>();

  /** Compiles it. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#program = join(folder, 'load');
    execFileSync('gcc', ['-O2', '-pthread', join(import.meta.dirname, 'load.c'), '-o', this.#program]);
  }

  read({ method, paths, length }: Reading, at: At): Promise<LoadResult> {
    return this.#run('read', at, [method, String(length), ...paths]);
  }

  /** Every blob is one that the server does not have; its digest is known before the clock runs. */
  async push({ way, size, repository }: Pushing, at: At): Promise<LoadResult> {
    const { path, hash } = await this.#base(way, size);
    const most = Math.ceil((at.seconds * PUSHED_BYTES_A_SECOND) / size) + 2 * at.connections;
    let blobs = '';
    for (let number = 0; number < Math.min(most, 100_000); number += 1) {
      const tail = randomBytes(TAIL / 2).toString('hex');
      blobs += `${tail} sha256:${hash.copy().update(tail).digest('hex')}\n`;
    }
    const result = await this.#run(way, at, [repository, path], blobs);
    if (result.exhausted) throw new Error('the load ran out of blobs to push');
    return { ...result, bytes: result.requests * size };
  }

  /** All that the blobs of one size have in common, and what it hashes to. */
  async #base(way: Pushing['way'], size: number) {
    const key = `${way}-${size}`;
    const known = this.#bases.get(key);
    if (known !== undefined) return known;
    const bytes = randomBytes(size - TAIL);
    const path = join(this.#folder, key);
    await writeFile(path, way === 'put' ? bytes : chunked(bytes));
    const base = { path, hash: createHash('sha256').update(bytes) };
    this.#bases.set(key, base);
    return base;
  }

  async #run(mode: string, at: At, args: string[], input = ''): Promise<LoadResult> {
    const given = [mode, String(at.port), String(at.connections), String(at.seconds), ...args];
    const child = spawn(this.#program, given, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {
      // It ended early, and says why.
    });
    child.stdin.end(input);
    const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (said === '') throw new Error(`${given.slice(0, 5).join(' ')}: ${complaint.trim()}`);
    return JSON.parse(said) as LoadResult;
  }
}

/** In the pieces that Go's HTTP client sends. */
function chunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const piece = bytes.subarray(at, at + CHUNK);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat(pieces);
}
