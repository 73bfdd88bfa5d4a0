// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { createService, type Service } from './index.ts';
import { blobKey, blobLinkKey } from './keys.ts';
import { type BlobRecord, encode, parseBlob } from './records.ts';

const TEXT = 'layer bytes';
const DIGEST = digestOf(TEXT);

let root: string;
let store: ObjectStore;
let plain: Service;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-pushes-'));
  store = await FilesystemStore.open({ root });
  plain = createService(store);
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true });
});

type Call = { name: string; key: unknown };

/** A service whose calls of the store may be held up before they happen, or be followed by something. */
function slowed(hooks: { before?(call: Call): Promise<unknown> | undefined; after?(call: Call): Promise<unknown> }) {
  let running = 0;
  let held = 0;
  const slow = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const call = { name: String(name), key: args[0] };
        running += 1;
        try {
          const wait = hooks.before?.(call);
          if (wait !== undefined) {
            held += 1;
            await wait;
            held -= 1;
          }
          const result = await member.apply(target, args);
          await hooks.after?.(call);
          return result;
        } finally {
          running -= 1;
        }
      };
    },
  });
  return {
    push: (repository: string) => createService(slow).uploads.whole(repository, DIGEST, body()),
    /** Until all that it waits for is what is held up: between calls of the store it does not leave its turn. */
    async rest() {
      do await new Promise((resolve) => setImmediate(resolve));
      while (held === 0 || running > held);
    },
  };
}

async function* bytes() {
  yield Buffer.from(TEXT);
}
const body = () => ({ source: bytes(), length: TEXT.length });

const gate = () => Promise.withResolvers<void>();

async function served(repository: string): Promise<string> {
  let text = '';
  for await (const chunk of await plain.blobs.read(await plain.blobs.get(repository, DIGEST))) text += chunk;
  return text;
}
const dataKeys = async () => (await store.list({ prefix: 'data/', limit: 10 })).keys;
const record = async () => {
  const stored = await store.get(blobKey(DIGEST));
  if (stored === undefined) throw new Error('there is no such record');
  return { blob: parseBlob(stored, ''), token: stored.token };
};
const become = async (state: BlobRecord['state']) => {
  const { blob, token } = await record();
  await store.put(blobKey(DIGEST), encode({ ...blob, state, epoch: blob.epoch + 1 }), {
    condition: { ifMatch: token },
  });
  return blob.data;
};

describe('a blob that two push at once', () => {
  test('is served to both when the second one looked before the first one had completed', async () => {
    const [completing, answered] = [gate(), gate()];
    const first = slowed({ before: ({ name }) => (name === 'completeData' ? completing.promise : undefined) });
    const second = slowed({
      before: ({ name, key }) => (name === 'put' && key === blobKey(DIGEST) ? answered.promise : undefined),
    });
    const one = first.push('one');
    await first.rest();
    const two = second.push('two');
    await second.rest();
    completing.resolve();
    await one;
    expect(await served('one')).toBe(TEXT);
    answered.resolve();
    await two;
    expect([await served('one'), await served('two')]).toEqual([TEXT, TEXT]);
    expect(await dataKeys()).toEqual([(await record()).blob.data]);
  });

  test('is served to the first when the second one never completes', async () => {
    const completing = gate();
    const first = slowed({ before: ({ name }) => (name === 'completeData' ? completing.promise : undefined) });
    const dying = slowed({
      before: ({ name }) => (name === 'completeData' ? new Promise(() => undefined) : undefined),
    });
    const one = first.push('one');
    await first.rest();
    void dying.push('two');
    await dying.rest();
    completing.resolve();
    await one;
    expect(await served('one')).toBe(TEXT);
    expect(await dataKeys()).toEqual([(await record()).blob.data]);
    await expect(plain.blobs.get('two', DIGEST)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });
});

describe('a blob that is pushed', () => {
  test('lives on its own bytes where those that it was to share are collected before the answer', async () => {
    await plain.uploads.whole('one', DIGEST, body());
    const robbed = slowed({
      async after({ name, key }) {
        if (name !== 'put' || key !== blobLinkKey('two', DIGEST) || (await record()).blob.epoch > 1) return;
        await become('condemned');
        await store.deleteData(await become('deleted'));
      },
    });
    await robbed.push('two');
    expect(await served('two')).toBe(TEXT);
    expect(await dataKeys()).toEqual([(await record()).blob.data]);
  });

  test('is not acknowledged where its own bytes are collected before the answer', async () => {
    const robbed = slowed({
      async after({ name, key }) {
        if (name !== 'put' || key !== blobLinkKey('one', DIGEST)) return;
        await become('condemned');
        // The collector deletes the bytes only later.
        await become('deleted');
      },
    });
    await expect(robbed.push('one')).rejects.toMatchObject({ code: 'UPLOAD_UNKNOWN' });
    expect((await record()).blob.state).toBe('deleted');
  });

  test('whose bytes the disk lost is not mounted: the client brings it again', async () => {
    await plain.uploads.whole('one', DIGEST, body());
    await store.deleteData((await record()).blob.data);
    expect(await plain.blobs.mount('two', DIGEST, 'one')).toBe(false);
  });
});
