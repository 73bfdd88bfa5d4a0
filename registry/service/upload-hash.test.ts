// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DigestAlgorithm, digestOf } from '../../image-format/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { createService } from './index.ts';
import { uploadKey } from './keys.ts';
import { NativeHash, PortableHash } from './upload-hash.ts';

const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

describe('a hash of an upload', () => {
  for (const algorithm of ALGORITHMS) {
    test(`of ${algorithm} says the same in every way, wherever it is cut`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 })), async (chunks) => {
          const native = new NativeHash(algorithm);
          let portable = await PortableHash.begin(algorithm);
          for (const chunk of chunks) {
            native.update(chunk);
            portable.update(chunk);
            const saved = portable.save();
            expect(portable.digest()).toBe(native.digest());
            portable = (await PortableHash.resume(saved)) ?? portable;
          }
          expect(portable.digest()).toBe(digestOf(Buffer.concat(chunks), algorithm));
        }),
        { numRuns: 50 },
      );
    });
  }

  test('does not go on from what is no state', async () => {
    const { state } = (await PortableHash.begin('sha512')).save();
    expect(await PortableHash.resume({ algorithm: 'sha256', state })).toBeUndefined();
    expect(await PortableHash.resume({ algorithm: 'sha256', state: '' })).toBeUndefined();
  });
});

describe('an upload that hops between processes', () => {
  let root: string;
  let store: ObjectStore;
  let readBack: number;
  let rereadsFast: boolean;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'uk-hashes-'));
    const files = await FilesystemStore.open({ root });
    readBack = 0;
    rereadsFast = false;
    store = new Proxy<ObjectStore>(files, {
      get(target, name) {
        if (name === 'rereadsFast') return rereadsFast;
        if (name === 'readData') readBack += 1;
        const member = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  });
  afterEach(async () => {
    await store.close();
    await rm(root, { recursive: true });
  });

  const bytes = randomBytes(100_000);
  const body = (from: number, to: number) => ({
    source: (async function* () {
      yield bytes.subarray(from, to);
    })(),
    length: to - from,
  });
  const none = () => ({ source: (async function* () {})(), length: 0 });
  const another = () => createService(store).uploads;
  const check = async (algorithm: DigestAlgorithm) =>
    expect((await createService(store).blobs.get('one', digestOf(bytes, algorithm))).size).toBe(bytes.length);

  for (const algorithm of ALGORITHMS) {
    test(`in chunks, of ${algorithm}, is not read back where that is dear`, async () => {
      const id = await another().start('one', algorithm);
      await another().append('one', id, body(0, 40_000), 0);
      await another().append('one', id, body(40_000, 70_000), 40_000);
      await another().finish('one', id, digestOf(bytes, algorithm), body(70_000, 100_000), 70_000);
      await check(algorithm);
      expect(readBack).toBe(0);
    });

    test(`after one streamed body, of ${algorithm}, is not read back`, async () => {
      rereadsFast = true;
      const id = await another().start('one', algorithm);
      await another().append('one', id, body(0, 100_000));
      await another().finish('one', id, digestOf(bytes, algorithm), none());
      await check(algorithm);
      expect(readBack).toBe(0);
    });
  }

  test('in chunks is read back where that is cheap, and not where it stays in one process', async () => {
    rereadsFast = true;
    for (const next of [another, (uploads: ReturnType<typeof another>) => uploads]) {
      readBack = 0;
      const first = another();
      const id = await first.start('one');
      await first.append('one', id, body(0, 40_000), 0);
      await next(first).append('one', id, body(40_000, 100_000), 40_000);
      await next(first).finish('one', id, digestOf(bytes), none());
      await check('sha256');
      expect(readBack).toBe(next === another ? 1 : 0);
    }
  });

  test('is read back where its hash is not of use: two streams, another algorithm, a state that does not read', async () => {
    const streamed = await another().start('one');
    await another().append('one', streamed, body(0, 40_000));
    await another().append('one', streamed, body(40_000, 100_000));
    await another().finish('one', streamed, digestOf(bytes), none());
    expect(readBack).toBe(1);

    const learned = await another().start('one', 'sha256');
    await another().append('one', learned, body(0, 100_000), 0);
    await another().finish('one', learned, digestOf(bytes, 'sha512'), none());
    await check('sha512');
    expect(readBack).toBe(2);

    const spoiled = await another().start('one');
    await another().append('one', spoiled, body(0, 40_000), 0);
    const session = JSON.parse(`${(await store.get(uploadKey(spoiled)))?.bytes}`);
    await store.put(
      uploadKey(spoiled),
      Buffer.from(JSON.stringify({ ...session, hash: { ...session.hash, state: '' } })),
    );
    await another().append('one', spoiled, body(40_000, 100_000), 40_000);
    await another().finish('one', spoiled, digestOf(bytes), none());
    expect(readBack).toBe(3);
  });

  test('goes on behind a chunk that broke off, with the hash of what came', async () => {
    const id = await another().start('one');
    const breaking = async function* () {
      yield bytes.subarray(0, 30_000);
      throw new Error('the client went away');
    };
    const broken = another().append('one', id, { source: breaking(), length: 50_000 }, 0);
    await expect(broken).rejects.toMatchObject({ code: 'CLIENT_GONE' });
    expect(await another().offset('one', id)).toBe(30_000);
    await another().append('one', id, body(30_000, 100_000), 30_000);
    await another().finish('one', id, digestOf(bytes), none());
    await check('sha256');
    expect(readBack).toBe(0);
  });

  test('in chunks with other bytes than it says is refused', async () => {
    const id = await another().start('one');
    await another().append('one', id, body(0, 40_000), 0);
    await another().append('one', id, body(40_000, 99_999), 40_000);
    const closing = another().finish('one', id, digestOf(bytes), none());
    await expect(closing).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    expect((await store.list({ prefix: 'data/', limit: 10 })).keys).toEqual([]);
  });
});
