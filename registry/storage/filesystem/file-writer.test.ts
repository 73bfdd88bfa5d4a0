// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Caution } from './caution.ts';
import { writeAll } from './file-writer.ts';

/** Each step takes so long, by a clock that nothing else moves. */
function watching(caution: Caution, milliseconds: number): void {
  caution.watch(() => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
  });
}

describe('steps on this thread', () => {
  test('are done there until several of a few were slow, and again after a while', async () => {
    const caution = new Caution(2, 500);
    expect(caution.advised).toBe(false);
    watching(caution, 3);
    expect(caution.advised).toBe(false);
    watching(caution, 3);
    expect(caution.advised).toBe(true);
    await expect.poll(() => caution.advised).toBe(false);
  });

  test('that fail say how', () => {
    expect(() =>
      new Caution(1, 1).watch(() => {
        throw new Error('no space');
      }),
    ).toThrow('no space');
  });
});

describe('writing', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uk-writer-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const quick = () => new Caution(Number.POSITIVE_INFINITY, 0);
  const slow = () => {
    const caution = new Caution(-1, 3_600_000);
    watching(caution, 0);
    watching(caution, 0);
    return caution;
  };
  /** Slow from the middle on. */
  const slowing = () => new Caution(-1, 3_600_000);

  for (const [where, caution] of Object.entries({
    'on this thread': quick,
    'in others': slow,
    'first here': slowing,
  })) {
    test(`${where} keeps the order, whatever the pieces, and gives each of them back`, async () => {
      const sizes = [0, 1, 5, 40_000, 65_536, 100, 65_536, 300_000, 32_768, 7, 65_536, 65_536, 65_536, 65_536, 3];
      const chunks = sizes.map((size) => randomBytes(size));
      const whole = Buffer.concat(chunks);
      const handle = await open(join(folder, 'file'), 'w');
      await handle.write('head ');
      const back = new Set<Uint8Array>();
      const source = {
        async *[Symbol.asyncIterator]() {
          yield* chunks;
        },
        release(chunk: Uint8Array) {
          back.add(chunk);
          chunk.fill(0);
        },
      };
      expect(await writeAll(handle, 5, source, caution())).toBe(5 + whole.length);
      await handle.close();
      expect((await readFile(join(folder, 'file'))).equals(Buffer.concat([Buffer.from('head '), whole]))).toBe(true);
      expect(back.size).toBe(chunks.length);
    });

    test(`${where} fails with what the disk says, and with what the source says`, async () => {
      const handle = await open('/dev/full', 'w');
      const large = {
        async *[Symbol.asyncIterator]() {
          yield Buffer.alloc(100_000);
        },
      };
      await expect(writeAll(handle, 0, large, caution())).rejects.toMatchObject({ code: 'ENOSPC' });
      const breaking = {
        async *[Symbol.asyncIterator]() {
          yield Buffer.alloc(1);
          throw new Error('the client went away');
        },
      };
      await expect(writeAll(handle, 0, breaking, caution())).rejects.toThrow('the client went away');
      await handle.close();
    });
  }
});
