// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkSpace } from './check-host.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-host-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a cache that is made on the way is looked at', async () => {
  expect((await checkSpace(join(folder, 'new'))).detail).toMatch(/MiB free in .*new$/);
});

test('one that cannot be made is no disk', async () => {
  await writeFile(join(folder, 'file'), '');
  expect(await checkSpace(join(folder, 'file'))).toMatchObject({ ok: false, hint: 'set XDG_CACHE_HOME' });
});

// The administrator, as whom tests may run, may write anywhere.
test('one that this user may not write to is no disk', async () => {
  const refused = async (path: string): Promise<void> => {
    throw new Error(`EACCES: permission denied, access '${path}'`);
  };
  expect(await checkSpace(folder, refused)).toMatchObject({ ok: false, detail: expect.stringContaining('EACCES') });
});
const root = process.getuid?.() === 0;
test.skipIf(root)(`as the system sees it${root ? ' (skipped: root may write everywhere)' : ''}`, async () => {
  const { chmod } = await import('node:fs/promises');
  await chmod(folder, 0o500);
  expect(await checkSpace(folder)).toMatchObject({ ok: false, detail: expect.stringContaining('EACCES') });
});
