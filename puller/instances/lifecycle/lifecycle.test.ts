// SPDX-License-Identifier: Apache-2.0
// Records without processes: how they are made, found, and believed. test/node/ has the processes.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Digest } from '../../../image-format/index.ts';
import { ownIdentity } from '../state/process-identity.ts';
import type { RunState } from '../state/run-state.ts';
import { createInstance, type NewInstance, renameInstance } from './create.ts';
import { findInstance } from './find.ts';
import { recordFailedStart, removeInstance } from './verbs.ts';
import { listInstances, viewOf } from './view.ts';
import { isWantedByPolicy } from './wanted.ts';

const WANTED: NewInstance = {
  image: {
    name: 'localhost/x:1',
    descriptor: { mediaType: 'application/x', size: 1, digest: `sha256:${'0'.repeat(64)}` as Digest },
  },
  ...{ execution: {}, forwards: [], volumes: [], readOnly: false, stopTimeoutMs: 1_000, remove: false },
  restart: { name: 'unless-stopped' },
};

let instances: string;
beforeEach(async () => {
  instances = join(await mkdtemp(join(tmpdir(), 'uk-instances-')), 'instances');
});
afterEach(() => rm(join(instances, '..'), { recursive: true, force: true }));

function state(changes: Partial<RunState>): RunState {
  return {
    ...{ version: 1, run: 1, phase: 'running', supervisor: ownIdentity(), restarts: 0, stopped: false },
    ...{ forwards: [], outOfMemory: false, ...changes },
  };
}

test('made, found by name, id and its beginning, renamed, removed', async () => {
  const folder = await createInstance(instances, WANTED, 'first');
  const other = await createInstance(instances, WANTED);
  expect((await findInstance(instances, 'first')).id).toBe(folder.id);
  expect((await findInstance(instances, folder.id)).id).toBe(folder.id);
  let common = '';
  while (folder.id.startsWith(common + other.id[common.length])) common += other.id[common.length];
  expect((await findInstance(instances, folder.id.slice(0, common.length + 1))).id).toBe(folder.id);
  if (common !== '') {
    await expect(findInstance(instances, common)).rejects.toMatchObject({ code: 'INSTANCE_AMBIGUOUS' });
  }
  await expect(findInstance(instances, '')).rejects.toMatchObject({ code: expect.stringMatching(/MISSING|AMBIGUOUS/) });
  await expect(createInstance(instances, WANTED, 'first')).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  await expect(createInstance(instances, WANTED, 'a/b')).rejects.toMatchObject({ code: 'NAME_INVALID' });
  await renameInstance(instances, 'first', 'second');
  await expect(findInstance(instances, 'first')).rejects.toMatchObject({ code: 'INSTANCE_MISSING' });
  for (const one of [folder, other]) await removeInstance(instances, one);
  expect(await listInstances(instances)).toEqual([]);
  expect(await readdir(join(instances, '.unfinished'))).toEqual([]);
});

test('what is written is held against the claim', async () => {
  const folder = await createInstance(instances, WANTED, 'xx');
  expect((await viewOf(folder)).status).toBe('created');
  const claim = await folder.claims.take('run');
  if (claim === undefined) expect.unreachable();
  expect((await viewOf(folder)).status).toBe('starting');
  await folder.writeState(state({}));
  expect(await viewOf(folder)).toMatchObject({ status: 'running', supervisor: process.pid });
  await expect(removeInstance(instances, folder)).rejects.toMatchObject({ code: 'INSTANCE_RUNNING' });
  // A state of an earlier run says nothing of this one.
  await folder.writeState(state({ run: 0 }));
  expect((await viewOf(folder)).status).toBe('starting');
  await folder.writeState(state({ phase: 'exited', end: { status: 3 } }));
  await folder.claims.release(claim);
  const view = await viewOf(folder);
  expect(view).toMatchObject({ status: 'exited', end: { status: 3 } });
  expect(isWantedByPolicy(view)).toBe(true);
  expect(isWantedByPolicy({ ...view, stopped: true })).toBe(false);
});

test('a supervisor that is gone did not end well', async () => {
  const folder = await createInstance(instances, WANTED, 'xx');
  await folder.claims.take('run');
  await folder.writeState(state({}));
  const dead = { ...ownIdentity(), start: '1' };
  await writeFile(join(folder.file('claims'), '1'), JSON.stringify({ purpose: 'run', owner: dead }));
  expect(await viewOf(folder)).toMatchObject({
    status: 'exited',
    end: { status: 255, reason: { message: expect.stringMatching(/was killed while the program ran/) } },
  });
  const earlier = { ...ownIdentity(), boot: 'earlier' };
  await writeFile(join(folder.file('claims'), '1'), JSON.stringify({ purpose: 'run', owner: earlier }));
  expect((await viewOf(folder)).end?.reason?.message).toBe('the machine went down while the program ran');
});

test('the reason of a start that failed early is kept', async () => {
  const folder = await createInstance(instances, WANTED, 'xx');
  await recordFailedStart(folder, await folder.config(), Object.assign(new Error('no image'), { code: 'NOT_FOUND' }));
  expect(await viewOf(folder)).toMatchObject({
    ...{ status: 'exited', end: { status: 1, reason: { code: 'NOT_FOUND', message: 'no image' } } },
  });
});

test('a record that cannot be read keeps no other from being listed', async () => {
  const folder = await createInstance(instances, WANTED, 'xx');
  await createInstance(instances, WANTED, 'yy');
  await writeFile(folder.file('config'), '{');
  const damaged: string[] = [];
  const views = await listInstances(instances, ({ code }) => damaged.push(code));
  expect(views.map(({ name }) => name)).toEqual(['yy']);
  expect(damaged).toEqual(['INSTANCE_DAMAGED']);
  await expect(removeInstance(instances, folder)).rejects.toMatchObject({ code: 'INSTANCE_DAMAGED' });
  await removeInstance(instances, folder, true);
  expect((await listInstances(instances)).length).toBe(1);
});
