// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Closure, type ClosureRoot } from '../needs/closure.ts';
import { readElf } from '../needs/elf.ts';
import { type ElfOptions, makeElf } from '../needs/testing.ts';
import type { LibcFiles } from '../request.ts';
import { Plan } from './plan.ts';
import { planLibc } from './plan-libc.ts';

const MUSL = '/lib/ld-musl-x86_64.so.1';

let dir: string;
let plan: Plan;
let libc: LibcFiles;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-libc-'));
  plan = new Plan();
  libc = { name: 'ring0-musl', loader: join(dir, 'ours'), libcJson: join(dir, 'libc.json'), gcc: '/ours/gcc' };
  await writeFile(libc.loader, makeElf());
  await chmod(libc.loader, 0o700);
  await writeFile(libc.libcJson, '{}');
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function root(options: ElfOptions, name = 'tool'): Promise<ClosureRoot> {
  const bytes = makeElf(options);
  const elf = await readElf(async (offset, length) => bytes.subarray(offset, offset + length), name);
  return { host: `/home/${name}`, image: `/app/${name}`, elf };
}

test('it stands where the program looks for its own, and is described', async () => {
  await planLibc(plan, libc, [await root({ interpreter: MUSL })]);
  const files = plan.layer('deps').filter(({ type }) => type === 'file');
  expect(files).toEqual([
    expect.objectContaining({
      path: 'usr/lib/ld-musl-x86_64.so.1',
      mode: 0o755,
      uid: 0,
      source: { file: libc.loader },
    }),
    expect.objectContaining({ path: 'etc/uk/libc.json', mode: 0o644, source: { file: libc.libcJson } }),
  ]);
});

test("the machine's own does not come in beside it, its list of folders does", async () => {
  const sysroot = join(dir, 'root');
  await mkdir(join(sysroot, 'lib'), { recursive: true });
  await mkdir(join(sysroot, 'etc'));
  await writeFile(join(sysroot, MUSL), makeElf({ soname: 'theirs' }));
  await writeFile(join(sysroot, 'etc/ld-musl-x86_64.path'), '/lib\n');
  const program = await root({ interpreter: MUSL, needed: ['libc.so'] });
  await planLibc(plan, libc, [program]);
  const closure = await Closure.open(plan, sysroot);
  expect(await closure.add(program)).toEqual([]);
  expect(plan.get('usr/lib/ld-musl-x86_64.so.1')?.entry.source).toEqual({ file: libc.loader });
  expect(plan.get('etc/ld-musl-x86_64.path')).toBeDefined();
});

test('of a script its last interpreter counts', async () => {
  const env = await root({ interpreter: '/lib64/ld-linux-x86-64.so.2' }, 'env');
  await planLibc(plan, libc, [env, await root({ interpreter: MUSL })]);
  expect(plan.get('usr/lib/ld-musl-x86_64.so.1')).toBeDefined();
});

test('a program of another libc is refused, with what to do', async () => {
  const program = await root({ interpreter: '/lib64/ld-linux-x86-64.so.2' });
  await expect(planLibc(plan, libc, [program])).rejects.toMatchObject({
    code: 'LIBC_MISMATCH',
    message: '/home/tool is not linked against musl: its interpreter is /lib64/ld-linux-x86-64.so.2',
    hint: expect.stringContaining('/ours/gcc'),
  });
});

test('a static program is refused, with what to do', async () => {
  await expect(planLibc(plan, libc, [await root({ dynamic: false, type: 2 })])).rejects.toMatchObject({
    code: 'LIBC_MISMATCH',
    message: '/home/tool is linked statically: it has its libc in itself',
    hint: expect.stringContaining('/ours/gcc -static'),
  });
});
