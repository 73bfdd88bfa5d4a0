// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { constants } from 'node:os';
import { PassThrough, Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildGuestImage, type GuestImage, runGuest } from './guest.ts';

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
});
afterAll(() => image?.[Symbol.asyncDispose]());

/** What `pattern` writes. */
function pattern(size: number): { out: Buffer; err: Buffer } {
  const out = Buffer.alloc(Math.ceil(size / 65536) * 65536);
  const mask = (1n << 64n) - 1n;
  let state = 88172645463325252n;
  for (let at = 0; at < out.length; at += 8) {
    state ^= (state << 13n) & mask;
    state ^= state >> 7n;
    state ^= (state << 17n) & mask;
    out.writeBigUInt64LE(state, at);
  }
  const used = out.subarray(0, size);
  return { out: used, err: Buffer.from(used.map((byte) => ~byte)) };
}

/** Hashes, and takes a pause every now and then: it is slower than any guest. */
class SlowReader extends Writable {
  readonly #hash = createHash('sha256');
  readonly #pauseMs: number;
  size = 0;
  mostWaiting = 0;

  constructor(pauseMs: number) {
    super({ highWaterMark: 16 * 1024 });
    this.#pauseMs = pauseMs;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#hash.update(chunk);
    this.size += chunk.length;
    this.mostWaiting = Math.max(this.mostWaiting, this.writableLength);
    setTimeout(done, this.#pauseMs);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('output', () => {
  test('megabytes on both outputs at once, byte for byte', async () => {
    const size = 6_000_001;
    const { outcome, stdout, stderr } = await runGuest(image, 'pattern', [String(size)]);
    const expected = pattern(size);
    expect(outcome.status).toBe(0);
    expect(sha256(stdout)).toBe(sha256(expected.out));
    expect(sha256(stderr)).toBe(sha256(expected.err));
  });

  test('slow readers get all of it, and hold the program back', async () => {
    const size = 4_000_003;
    const [stdout, stderr] = [new SlowReader(3), new SlowReader(5)];
    const { outcome } = await runGuest(image, 'pattern', [String(size)], { stdout, stderr });
    const expected = pattern(size);
    expect(outcome.status).toBe(0);
    expect([stdout.size, stderr.size]).toEqual([size, size]);
    expect(stdout.digest()).toBe(sha256(expected.out));
    expect(stderr.digest()).toBe(sha256(expected.err));
    expect(Math.max(stdout.mostWaiting, stderr.mostWaiting)).toBeLessThan(512 * 1024);
  });

  test('no output at all', async () => {
    const { stdout, stderr } = await runGuest(image, 'exit', ['5']);
    expect([stdout.length, stderr.length]).toEqual([0, 0]);
  });

  test('a reader that goes away ends the program by SIGPIPE', async () => {
    const stdout = new PassThrough();
    stdout.once('data', () => stdout.destroy());
    const { outcome } = await runGuest(image, 'pattern', ['1000000000'], { stdout, stderr: new SlowReader(0) });
    expect(outcome).toMatchObject({ status: 128 + constants.signals.SIGPIPE });
  });
});

test('a full disk ends the program and is said', async () => {
  const full = createWriteStream('/dev/full');
  await expect(
    runGuest(image, 'pattern', ['1000000000'], { stdout: full, stderr: new SlowReader(0) }),
  ).rejects.toMatchObject({ code: 'OUTPUT_FAILED', message: 'cannot write standard output: no space left on device' });
});

describe('input', () => {
  test('megabytes through the program, byte for byte', async () => {
    const bytes = randomBytes(5_000_007);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 50_000) }, (_, i) =>
      bytes.subarray(i * 50_000, (i + 1) * 50_000),
    );
    const { outcome, stdout } = await runGuest(image, 'copy', [], { stdin: Readable.from(chunks) });
    expect(outcome.status).toBe(0);
    expect(sha256(stdout)).toBe(sha256(bytes));
  });

  test.each([0, 1, 4096, 65536, 524_288])('%d bytes and the end', async (size) => {
    const bytes = randomBytes(size);
    const { outcome, stdout } = await runGuest(image, 'copy', [], { stdin: Readable.from(size === 0 ? [] : [bytes]) });
    expect(outcome.status).toBe(0);
    expect(stdout.equals(bytes)).toBe(true);
  });

  test('none means an end at once', async () => {
    const { outcome, stdout } = await runGuest(image, 'copy', [], { stdin: 'empty' });
    expect(outcome.status).toBe(0);
    expect(stdout.length).toBe(0);
  });

  test('an answer comes before the input ends', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const ran = runGuest(image, 'copy', [], { stdin, stdout });
    for (const line of ['one\n', 'two\n', 'three\n']) {
      stdin.write(line);
      expect(String(await new Promise((resolve) => stdout.once('data', resolve)))).toBe(line);
    }
    stdin.end();
    expect((await ran).outcome.status).toBe(0);
  });

  test('a program that does not want all of it ends all the same', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65536);
      })(),
    );
    const { outcome, stdout } = await runGuest(image, 'copy', ['100000'], { stdin: endless });
    expect(outcome.status).toBe(0);
    expect(stdout.length).toBe(100_000);
    expect(endless.isPaused()).toBe(true);
  });
});
