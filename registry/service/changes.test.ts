// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { Changes } from './changes.ts';
import { SYSTEM } from './surroundings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let root: string;
let store: ObjectStore;
let now: number;
const open = () => new Changes(store, { ...SYSTEM, now: () => now });
const change = (changes: Changes, repository: string) => changes.during(repository, (noted) => noted);
const marks = async () => (await store.list({ prefix: 'changes/', limit: 1000 })).keys.length;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-changes-'));
  store = await FilesystemStore.open({ root });
  now = Date.UTC(2026, 0, 1);
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true });
});

test('what another process changes does not hold any more', async () => {
  const [reader, writer] = [open(), open()];
  await reader.look();
  const readAt = now;
  now += 10 * MINUTE;
  await reader.look();
  expect(reader.holds('a', readAt)).toBe(true);
  await change(writer, 'a');
  now += MINUTE;
  await reader.look();
  expect(reader.holds('a', readAt)).toBe(false);
  expect(reader.holds('a/b', readAt)).toBe(true);
  expect([...reader.markedSince(readAt)]).toEqual(['a']);
});

test('what was read just now, of a repository that changes just now, holds for a second', async () => {
  const [reader, writer] = [open(), open()];
  await change(writer, 'a');
  await reader.look();
  const readAt = now;
  expect(reader.holds('a', readAt)).toBe(true);
  now += 1_500;
  await reader.look();
  expect(reader.holds('a', readAt)).toBe(false);
});

test('own changes are seen at once', async () => {
  const changes = open();
  await changes.look();
  now += 10 * MINUTE;
  await changes.look();
  const readAt = now;
  await change(changes, 'a');
  expect(changes.holds('a', readAt)).toBe(false);
});

test('one mark stands for all changes of two minutes; a change that takes longer leaves another one', async () => {
  const changes = open();
  for (let at = 0; at < 5; at += 1) await change(changes, 'a');
  expect(await marks()).toBe(1);
  await changes.during('b', async (noted) => {
    await noted;
    now += 5 * MINUTE;
  });
  expect(await marks()).toBe(3);
});

test('nothing holds that was read before nobody looked for half a day', async () => {
  const reader = open();
  await reader.look();
  const readAt = now;
  now += 13 * HOUR;
  await reader.look();
  expect(reader.holds('a', readAt)).toBe(false);
  expect(reader.holds('a', now)).toBe(true);
});

test('marks of half a day ago are deleted, and their slots used again', async () => {
  const changes = open();
  await change(changes, 'a');
  now += 13 * HOUR;
  await change(changes, 'b');
  expect(await changes.prune()).toBe(1);
  expect(await marks()).toBe(1);
});
