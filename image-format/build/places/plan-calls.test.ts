// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ClosureRoot } from '../needs/closure.ts';
import { readElf } from '../needs/elf.ts';
import { type ElfOptions, makeElf } from '../needs/testing.ts';
import type { CallsFiles } from '../request.ts';
import { planAdds } from './add-files.ts';
import { Plan } from './plan.ts';
import { planCalls } from './plan-calls.ts';

const GLIBC = '/lib64/ld-linux-x86-64.so.2';

let dir: string;
let plan: Plan;
let calls: CallsFiles;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-calls-'));
  plan = new Plan();
  calls = { library: join(dir, 'calls.so'), preload: join(dir, 'list'), path: '/usr/lib/ring0-calls.so' };
  await writeFile(calls.library, makeElf(), { mode: 0o600 });
  await writeFile(calls.preload, `${calls.path}\n`);
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function root(options: ElfOptions, name = 'tool'): Promise<ClosureRoot> {
  const bytes = makeElf(options);
  const elf = await readElf(async (offset, length) => bytes.subarray(offset, offset + length), name);
  return { host: `/home/${name}`, image: `/app/${name}`, elf };
}

async function add(text: string): Promise<string> {
  const source = join(dir, 'theirs');
  await writeFile(source, text);
  await planAdds(plan, [{ source, destination: '/etc/ld.so.preload' }]);
  return source;
}

test('the library and the list that names it', async () => {
  await planCalls(plan, calls, [
    await root({ interpreter: '/lib/ld-musl-x86_64.so.1' }),
    await root({ interpreter: GLIBC }),
  ]);
  const common = { type: 'file', mode: 0o644, uid: 0, gid: 0 };
  expect(plan.layer('deps').filter(({ type }) => type === 'file')).toEqual([
    expect.objectContaining({ ...common, path: 'usr/lib/ring0-calls.so', source: { file: calls.library } }),
    expect.objectContaining({ ...common, path: 'etc/ld.so.preload', source: { file: calls.preload } }),
  ]);
});

test.each([
  ['static', { dynamic: false, type: 2 }, '/home/tool is linked statically: nothing can be loaded before it'],
  ['musl', { interpreter: '/lib/ld-musl-x86_64.so.1' }, 'is not linked against glibc: its interpreter is /lib/ld-musl'],
])('a program that is not of a dynamic glibc is refused, with what to do: %s', async (_, options, message) => {
  await expect(planCalls(plan, calls, [await root(options)])).rejects.toMatchObject({
    code: 'LIBC_MISMATCH',
    message: expect.stringContaining(message),
    hint: expect.stringContaining('leave --calls out'),
  });
});

test.each([
  ['another library', '/usr/lib/other.so\n'],
  ['it in a comment', '# /usr/lib/ring0-calls.so\n'],
  ['another that begins the same', '/usr/lib/ring0-calls.so.1\n'],
])('a list that is added is refused where it names %s', async (_, text) => {
  const source = await add(text);
  await expect(planCalls(plan, calls, [await root({ interpreter: GLIBC })])).rejects.toMatchObject({
    code: 'PATH_CONFLICT',
    message: `/etc/ld.so.preload is added, and does not name /usr/lib/ring0-calls.so: ${source}`,
    hint: 'add a line /usr/lib/ring0-calls.so to it, or leave it out',
  });
});

test('a list that is added stays where it names the library', async () => {
  const source = await add('/usr/lib/other.so:/usr/lib/ring0-calls.so # ours\n');
  await planCalls(plan, calls, [await root({ interpreter: GLIBC })]);
  expect(plan.get('etc/ld.so.preload')?.entry.source).toEqual({ file: source });
  expect(plan.get('usr/lib/ring0-calls.so')).toBeDefined();
});

test('a list that is a link out of the image is refused', async () => {
  await symlink('/nowhere', join(dir, 'ld.so.preload'));
  await planAdds(plan, [{ source: dir, destination: '/etc' }]);
  await expect(planCalls(plan, calls, [await root({ interpreter: GLIBC })])).rejects.toThrow('does not name');
});
