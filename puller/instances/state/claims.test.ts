// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownerName } from '../../../image-format/layout/process-owner.ts';
import { Claims } from './claims.ts';
import { identityOf, livenessOf, ownIdentity } from './process-identity.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-claims-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('one has it until it gives it back', async () => {
  const [one, other] = [new Claims(folder), new Claims(folder)];
  const claim = await one.take('run');
  expect(claim).toMatchObject({ number: 1, purpose: 'run', released: false });
  expect(await other.take('removal')).toBeUndefined();
  if (claim) await one.release(claim);
  expect(await other.take('removal')).toMatchObject({ number: 2 });
  expect(await readdir(folder)).toEqual(['2']);
});

test('of many at once one has it', async () => {
  const taken = await Promise.all(Array.from({ length: 20 }, () => new Claims(folder).take('run')));
  expect(taken.filter((claim) => claim !== undefined)).toHaveLength(1);
});

test('a dead owner, an earlier start of the machine and a damaged claim do not count', async () => {
  const child = spawn('sleep', ['60']);
  const owner = identityOf(child.pid);
  const claims = new Claims(folder);
  await writeFile(join(folder, '4'), JSON.stringify({ purpose: 'run', owner }));
  expect(await claims.take('run')).toBeUndefined();
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const claim = await claims.take('run');
  expect(claim?.number).toBe(5);
  const text = await readFile(join(folder, '5'), 'utf8');
  await writeFile(join(folder, '5'), text.replace(ownIdentity().boot, 'another'));
  expect((await claims.take('run'))?.number).toBe(6);
  await writeFile(join(folder, '6'), '');
  expect((await claims.take('run'))?.number).toBe(7);
});

test('an owner in another container is believed for a while, then only if it answers', async () => {
  const claims = new Claims(folder);
  const owner = { ...ownIdentity(), namespace: '1' };
  expect(livenessOf(owner)).toBe('elsewhere');
  await writeFile(join(folder, '1'), JSON.stringify({ purpose: 'run', owner }));
  expect(await claims.take('run')).toBeUndefined();
  const { utimes } = await import('node:fs/promises');
  await utimes(join(folder, '1'), new Date(0), new Date(0));
  expect(await claims.take('run', async () => true)).toBeUndefined();
  expect((await claims.take('run', async () => false))?.number).toBe(2);
});

test('what a killed process left unfinished is removed', async () => {
  const [, namespace] = /^(\d+)-/.exec(ownerName()) ?? [];
  const elsewhere = '.new-1-999999999-7-aaaa';
  const names = [`.new-${namespace}-999999999-7-aaaa`, elsewhere, `.new-${ownerName()}-aaaa`];
  for (const name of names) await writeFile(join(folder, name), '');
  await new Claims(folder).take('run');
  // What a living process writes stays, and what cannot be known of.
  expect((await readdir(folder)).sort()).toEqual([...names.slice(1), '1'].sort());
});
