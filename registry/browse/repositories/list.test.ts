// SPDX-License-Identifier: Apache-2.0
// A list on a storage that answers slowly: what is known is shown, and the rest is asked for again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createService, type Service } from '../../service/index.ts';
import { FilesystemStore } from '../../storage/filesystem/index.ts';
import { createBrowse } from '../browse.ts';
import type { Browse } from '../contract.ts';
import { Pusher } from '../testing.ts';

let root: string;
let store: FilesystemStore;
let browse: Browse;
/** Listings of these prefixes wait for it. */
let held: RegExp | undefined;
let letGo = () => {};
let gone: Promise<void>;
let service: Service;
let push: Pusher;
/** Records that were read. */
let looks = 0;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-list-'));
  store = await FilesystemStore.open({ root });
  held = undefined;
  gone = new Promise((resolve) => {
    letGo = resolve;
  });
  const slow = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'get') looks += 1;
      if (name !== 'list') return value.bind(target);
      return async (options: { prefix: string }) => {
        if (held?.test(options.prefix)) await gone;
        return value.call(target, options);
      };
    },
  });
  service = createService(slow);
  push = new Pusher(service);
  for (const name of ['a/one', 'a/two', 'b']) await push.image(name, ['v1'], [name]);
  browse = createBrowse({ store: slow, service });
});

afterEach(async () => {
  letGo();
  await browse.close();
  await store.close();
  await rm(root, { recursive: true });
});

test('names are shown before what their rows say is read', async () => {
  held = /^repositories\//;
  const found = await browse.repositories({ search: 'a', waitMs: 30 });
  expect(found).toMatchObject({ matched: 2, total: 3, making: { done: 0, total: 2, unit: 'repositories' } });
  expect(found.rows).toEqual([
    { kind: 'repository', name: 'a/one' },
    { kind: 'repository', name: 'a/two' },
  ]);
  letGo();
  const whole = await browse.repositories({ search: 'a' });
  expect(whole).not.toHaveProperty('making');
  expect(whole.rows).toMatchObject([{ tags: 1, state: 'tagged' }, { tags: 1 }]);
});

test('while the names are read for the first time, a page does not wait for them', async () => {
  held = /^catalog\/$/;
  const found = await browse.repositories({ waitMs: 30 });
  expect(found).toMatchObject({ rows: [], total: 0, making: { done: 0, unit: 'repositories' } });
  expect(found.making).not.toHaveProperty('total');
  letGo();
  expect(await browse.repositories({ waitMs: 10_000 })).toMatchObject({ total: 3 });
});

test('refused pushes to many names cost an answer a bounded number of looks', async () => {
  await browse.repositories();
  for (let at = 0; at < 450; at += 1) {
    await service.changes.during(`refused/${at}`, (noted) => noted);
  }
  await push.image('z', ['v1'], ['z']);
  const counts: number[] = [];
  for (let answers = 0; answers < 4; answers += 1) {
    looks = 0;
    await browse.repositories({ size: 1 });
    counts.push(looks);
  }
  expect(Math.max(...counts)).toBeLessThanOrEqual(250);
  // What was really pushed is there all the same, after a few answers.
  expect((await browse.repositories()).total).toBe(4);
});

test('an order by time that takes long is not waited for', async () => {
  held = /^repositories\//;
  const found = await browse.repositories({ sort: 'pushed', waitMs: 30 });
  expect(found.rows.map(({ name }) => name)).toEqual(['a/one', 'a/two', 'b']);
  expect(found.making).toMatchObject({ unit: 'repositories' });
  letGo();
  const whole = await browse.repositories({ sort: 'pushed' });
  expect(whole.rows.map(({ name }) => name)).toEqual(['b', 'a/two', 'a/one']);
});

test('a folder says when something was pushed below it once all of that is known', async () => {
  const { rows } = await browse.repositories({ folders: true });
  expect(rows).toMatchObject([{ kind: 'folder', name: 'a', pushed: expect.any(Number) }, { name: 'b' }]);
  held = /^repositories\//;
});

test('that a repository has much without a tag is counted while its page is there', async () => {
  held = /_manifests\/$/;
  const found = await browse.repository('b', { waitMs: 30 });
  expect(found).not.toHaveProperty('untagged');
  letGo();
  expect(await browse.repository('b')).toMatchObject({ untagged: 0 });
});
