// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Multipart } from './multipart.ts';
import { mostParts, PartWriter, partSize } from './part-writer.ts';

const MIB = 2 ** 20;

/** Keeps parts in memory, and how many were under way at once. */
class FakeMultipart {
  readonly parts = new Map<number, Buffer>();
  uploads = 0;
  most = 0;
  #now = 0;
  fails: (number: number) => boolean = () => false;

  async begin(): Promise<string> {
    this.uploads += 1;
    return 'upload';
  }

  async put(_path: string, _id: string, number: number, bytes: Uint8Array): Promise<string> {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    await setImmediate();
    this.#now -= 1;
    if (this.fails(number)) throw new Error(`part ${number} failed`);
    this.parts.set(number, Buffer.from(bytes));
    return `etag-${number}`;
  }

  get asMultipart(): Multipart {
    return this as unknown as Multipart;
  }
}

describe('parts', () => {
  test('of the default size come to more than a terabyte', () => {
    const sizes = { least: 8 * MIB, most: mostParts };
    let all = 0;
    for (let number = 1; number <= mostParts; number += 1) {
      const size = partSize(number, sizes);
      expect(size).toBeGreaterThanOrEqual(number === 1 ? sizes.least : partSize(number - 1, sizes));
      expect(size).toBeLessThanOrEqual(256 * MIB);
      all += size;
    }
    expect(all).toBeGreaterThan(1.2 * 2 ** 40);
    // What is small stays cheap.
    expect(partSize(1250, sizes)).toBe(8 * MIB);
  });

  test('hold all bytes in their order, whatever the chunks and wherever it goes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        async (appends) => {
          const multipart = new FakeMultipart();
          const sizes = { least: 10, most: 40 };
          const written: Buffer[] = [];
          let state: { upload?: string; parts?: string[] } = {};
          let rest = Buffer.alloc(0);
          let value = 0;
          for (const chunks of appends) {
            const writer = new PartWriter(multipart.asMultipart, 'path', sizes, state);
            await writer.write(rest);
            for (const length of chunks) {
              const chunk = Buffer.from(Array.from({ length }, () => value++ % 251));
              written.push(chunk);
              await writer.write(chunk);
            }
            rest = Buffer.concat(writer.rest.chunks);
            expect(rest.length).toBe(writer.rest.bytes);
            state = await writer.finish();
          }
          const parts = [...multipart.parts].sort(([a], [b]) => a - b);
          expect(parts.map(([number]) => number)).toEqual(parts.map((_, at) => at + 1));
          expect(state.parts ?? []).toEqual(parts.map(([number]) => `etag-${number}`));
          for (const [number, bytes] of parts) expect(bytes.length).toBe(partSize(number, sizes));
          const all = Buffer.concat(written);
          expect(Buffer.concat([...parts.map(([, bytes]) => bytes), rest]).equals(all)).toBe(true);
          // The end stays behind, so that what fits into one part needs no upload.
          expect(rest.length > 0).toBe(all.length > 0);
          expect(multipart.uploads).toBe(parts.length > 0 ? 1 : 0);
          expect(multipart.most).toBeLessThanOrEqual(2);
        },
      ),
    );
  });

  test('beyond the last number are refused', async () => {
    const writer = new PartWriter(new FakeMultipart().asMultipart, 'path', { least: 10, most: 3 }, {});
    await expect(writer.write(Buffer.alloc(10_000))).rejects.toMatchObject({ code: 'TooManyParts' });
    await writer.settle();
  });

  test('that fail make the writer fail, when nothing is under way any more', async () => {
    const multipart = new FakeMultipart();
    multipart.fails = (number) => number === 2;
    const writer = new PartWriter(multipart.asMultipart, 'path', { least: 10, most: 100 }, {});
    const writing = async () => {
      for (let at = 0; at < 20; at += 1) await writer.write(Buffer.alloc(10));
      await writer.finish();
    };
    await expect(writing()).rejects.toThrow('part 2 failed');
    expect(await writer.settle()).toBe('upload');
  });
});
