// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planAdds } from '../places/add-files.ts';
import { Plan } from '../places/plan.ts';
import { planProgram } from '../places/program.ts';
import { Closure, refuseMissing } from './closure.ts';
import { formatLdSoCache } from './ld-so-cache.ts';
import { type ElfOptions, makeElf } from './testing.ts';

const GLIBC = '/lib64/ld-linux-x86-64.so.2';
const MULTIARCH = 'usr/lib/x86_64-linux-gnu';

let dir: string;
let sysroot: string;
let plan: Plan;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-closure-'));
  sysroot = join(dir, 'root');
  plan = new Plan();
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function put(path: string, content: Buffer | string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}
const elf = async (path: string, options: ElfOptions = {}) => await put(join(sysroot, path), makeElf(options));
const link = async (path: string, target: string) => {
  await mkdir(dirname(join(sysroot, path)), { recursive: true });
  await symlink(target, join(sysroot, path));
};
/** A merged system with a C library. */
async function debian(): Promise<void> {
  await link('lib', 'usr/lib');
  await link('lib64', 'usr/lib64');
  await link('bin', 'usr/bin');
  await elf(`${MULTIARCH}/ld-linux-x86-64.so.2`);
  await link('usr/lib64/ld-linux-x86-64.so.2', '../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
  await elf(`${MULTIARCH}/libc.so.6`, { soname: 'libc.so.6', needed: ['ld-linux-x86-64.so.2'] });
}

/** Plans a program; what is in the layers afterwards, as `layer path [-> target]`. */
async function planned(app: string): Promise<string[]> {
  const program = await planProgram(plan, app, sysroot, undefined);
  const closure = await Closure.open(plan, sysroot);
  const missing = [...program.missing];
  for (const root of program.roots) missing.push(...(await closure.add(root)));
  refuseMissing(missing);
  return (['app', 'deps'] as const)
    .flatMap((role) => plan.layer(role).map((entry) => ({ role, ...entry })))
    .filter(({ type }) => type !== 'directory')
    .map(({ role, path, linkname }) => `${role} ${path}${linkname === undefined ? '' : ` -> ${linkname}`}`)
    .sort();
}
const missing = (text: string) => ({ code: 'LIBRARY_MISSING', message: expect.stringContaining(text) });

const C_LIBRARY = [
  'deps usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
  'deps usr/lib/x86_64-linux-gnu/libc.so.6',
  'deps usr/lib64/ld-linux-x86-64.so.2 -> ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
];

describe('a program of the system', () => {
  beforeEach(debian);

  test('keeps its path; chains of links are kept', async () => {
    const app = await elf('usr/bin/tool', { interpreter: GLIBC, needed: ['libz.so.1', 'libc.so.6'] });
    await elf(`${MULTIARCH}/libz.so.1.2.13`, { soname: 'libz.so.1' });
    await link(`${MULTIARCH}/libz.so.1`, 'libz.so.1.2.13');
    expect(await planned(app)).toEqual(
      [
        'app usr/bin/tool',
        ...C_LIBRARY,
        'deps usr/lib/x86_64-linux-gnu/libz.so.1 -> libz.so.1.2.13',
        'deps usr/lib/x86_64-linux-gnu/libz.so.1.2.13',
      ].sort(),
    );
  });

  test('may be a link through others, in merged folders', async () => {
    await elf('usr/bin/vim.basic', { interpreter: GLIBC, needed: ['libc.so.6'] });
    await link('usr/bin/vi', '/etc/alternatives/vi');
    await link('etc/alternatives/vi', '/bin/vim.basic');
    expect(await planned(join(sysroot, 'bin/vi'))).toEqual(
      [
        'app etc/alternatives/vi -> /bin/vim.basic',
        'app usr/bin/vi -> /etc/alternatives/vi',
        'app usr/bin/vim.basic',
        ...C_LIBRARY,
      ].sort(),
    );
  });

  test('needs what its libraries need', async () => {
    const app = await elf('usr/bin/tool', { interpreter: GLIBC, needed: ['liba.so'] });
    await elf(`${MULTIARCH}/liba.so`, { needed: ['libb.so', 'libc.so.6'] });
    await elf(`${MULTIARCH}/libb.so`, { needed: ['liba.so'] });
    expect(await planned(app)).toEqual(
      ['app usr/bin/tool', ...C_LIBRARY, `deps ${MULTIARCH}/liba.so`, `deps ${MULTIARCH}/libb.so`].sort(),
    );
  });

  test('gets what glibc opens by itself, where it is there', async () => {
    const app = await elf('usr/bin/tool', { interpreter: GLIBC, needed: ['libc.so.6'] });
    await elf(`${MULTIARCH}/libgcc_s.so.1`, { needed: ['libc.so.6'] });
    expect(await planned(app)).toContain(`deps ${MULTIARCH}/libgcc_s.so.1`);
  });

  test('libraries elsewhere are found by the cache, or without one by ld.so.conf', async () => {
    const app = await elf('usr/bin/tool', { interpreter: GLIBC, needed: ['libx.so.1'] });
    await elf('opt/x/lib/libx.so.1');
    await expect(planned(app)).rejects.toMatchObject(missing('libx.so.1'));
    await put(join(sysroot, 'etc/ld.so.conf'), '# comment\ninclude ld.so.conf.d/*.conf\n');
    await put(join(sysroot, 'etc/ld.so.conf.d/x.conf'), '/opt/x/lib\n');
    expect(await planned(app)).toContain('deps opt/x/lib/libx.so.1');
    await rm(join(sysroot, 'etc/ld.so.conf'));
    await put(join(sysroot, 'etc/ld.so.cache'), formatLdSoCache([{ name: 'libx.so.1', path: '/opt/x/lib/libx.so.1' }]));
    plan = new Plan();
    expect(await planned(app)).toContain('deps opt/x/lib/libx.so.1');
  });

  test('all that is missing is named at once, with who needs it', async () => {
    const app = await elf('usr/bin/tool', { interpreter: '/lib/ld-other.so.1', needed: ['libno.so.1', 'liba.so'] });
    await elf(`${MULTIARCH}/liba.so`, { needed: ['libno.so.1', 'libnever.so'] });
    const lib = join(sysroot, 'lib/x86_64-linux-gnu/liba.so');
    await expect(planned(app)).rejects.toMatchObject({
      code: 'LIBRARY_MISSING',
      message: `not found: /lib/ld-other.so.1 (needed by ${app}); libno.so.1 (needed by ${app}); libnever.so (needed by ${lib})`,
    });
  });

  test('libraries for other machines are passed over, as ld.so does', async () => {
    const app = await elf('usr/bin/tool', { interpreter: GLIBC, needed: ['libx.so'], runpath: '/opt/a:/opt/b' });
    await elf('opt/a/libx.so', { machine: 183 });
    await elf('opt/b/libx.so');
    const found = await planned(app);
    expect(found).toContain('deps opt/b/libx.so');
    expect(found).not.toContain('deps opt/a/libx.so');
  });

  test('RPATH holds for the libraries of libraries, RUNPATH does not, and ends it', async () => {
    await elf('opt/lib/liba.so', { needed: ['libb.so'] });
    await elf('opt/lib/libb.so');
    const inherited = await elf('usr/bin/rpath', { needed: ['liba.so'], rpath: '/opt/lib' });
    expect(await planned(inherited)).toContain('deps opt/lib/libb.so');
    plan = new Plan();
    const direct = await elf('usr/bin/runpath', { needed: ['liba.so'], runpath: '/opt/lib' });
    await expect(planned(direct)).rejects.toMatchObject(missing('libb.so (needed by'));
    plan = new Plan();
    const both = await elf('usr/bin/both', { needed: ['liba.so'], rpath: '/opt/lib', runpath: '/nowhere' });
    await expect(planned(both)).rejects.toMatchObject(missing('liba.so'));
  });

  test('$ORIGIN and $LIB', async () => {
    const app = await elf('opt/tool/bin/tool', {
      needed: ['liba.so', 'libb.so'],
      runpath: '$ORIGIN/../lib:/opt/$LIB',
    });
    await elf('opt/tool/lib/liba.so');
    await elf('opt/lib64/libb.so');
    expect(await planned(app)).toEqual([
      'app opt/tool/bin/tool',
      'deps opt/lib64/libb.so',
      'deps opt/tool/lib/liba.so',
    ]);
  });
});

describe('a program from elsewhere', () => {
  beforeEach(debian);

  test('goes to /app, and what it has beside it goes along', async () => {
    const app = await put(join(dir, 'build/out/prog'), makeElf({ needed: ['liba.so'], runpath: '$ORIGIN/lib' }));
    await put(join(dir, 'build/out/lib/liba.so.1.2'), makeElf({ needed: ['libb.so'], runpath: '$ORIGIN' }));
    await symlink('liba.so.1.2', join(dir, 'build/out/lib/liba.so'));
    await put(join(dir, 'build/out/lib/libb.so'), makeElf());
    expect(await planned(app)).toEqual(['app app/prog', 'deps app/lib/liba.so', 'deps app/lib/libb.so']);
  });

  test('libraries that are added are found where they will be', async () => {
    const app = await put(join(dir, 'prog'), makeElf({ needed: ['libmine.so'], interpreter: GLIBC }));
    const source = await put(join(dir, 'libmine.so'), makeElf({ needed: ['libc.so.6'] }));
    await planAdds(plan, [{ source, destination: '/usr/lib/' }]);
    expect(await planned(app)).toEqual(['app app/prog', 'app usr/lib/libmine.so', ...C_LIBRARY].sort());
  });

  test('is executable in the image', async () => {
    await planned(await put(join(dir, 'prog'), makeElf()));
    expect(plan.get('app/prog')?.entry.mode).toBe(0o755);
  });

  test.each<[string, Buffer | string, string]>([
    ['text', 'hello\n', 'ELF_INVALID'],
    ['a library', makeElf({ entry: 0 }), 'ELF_INVALID'],
    ["another machine's", makeElf({ machine: 183 }), 'ELF_INVALID'],
  ])('that is %s is refused', async (_name, content, code) => {
    await expect(planned(await put(join(dir, 'prog'), content))).rejects.toMatchObject({ code });
  });

  test('that is no regular file is refused without waiting for it', async () => {
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    await symlink('fifo', join(dir, 'link'));
    for (const name of ['fifo', 'link']) {
      await expect(planProgram(plan, join(dir, name), sysroot, undefined)).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
        message: expect.stringContaining('no regular file'),
      });
    }
  });

  test('that is not there, or a folder, is refused', async () => {
    await expect(planned(join(dir, 'nothing'))).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: /no such file/,
    });
    await expect(planned(dir)).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
  });
});

describe('scripts', () => {
  beforeEach(debian);

  test('bring their interpreter', async () => {
    await elf('usr/bin/dash', { interpreter: GLIBC, needed: ['libc.so.6'] });
    await link('usr/bin/sh', 'dash');
    const script = await put(join(dir, 'run.sh'), '#!/bin/sh -e\necho\n');
    expect(await planned(script)).toEqual(
      ['app app/run.sh', ...C_LIBRARY, 'deps usr/bin/dash', 'deps usr/bin/sh -> dash'].sort(),
    );
  });

  test('may find it by env', async () => {
    await elf('usr/bin/env', { needed: ['libc.so.6'] });
    await elf('usr/local/bin/python3', { needed: ['libc.so.6'] });
    const script = await put(join(dir, 'run.py'), '#!/usr/bin/env -S A=1 python3 -u\n');
    expect(await planned(script)).toEqual(expect.arrayContaining(['deps usr/bin/env', 'deps usr/local/bin/python3']));
  });

  test('without one name it', async () => {
    const script = await put(join(dir, 'run.rb'), '#!/usr/bin/ruby\n');
    await expect(planned(script)).rejects.toMatchObject(missing(`/usr/bin/ruby (needed by ${script})`));
    await elf('usr/bin/env');
    const other = await put(join(dir, 'run2.rb'), '#!/usr/bin/env ruby\n');
    await expect(planned(other)).rejects.toMatchObject(missing('ruby (needed by'));
  });
});

describe('other systems', () => {
  test('musl: its interpreter is its C library, and has its own path file', async () => {
    await elf('lib/ld-musl-x86_64.so.1');
    await put(join(sysroot, 'etc/ld-musl-x86_64.path'), '/opt/lib\n');
    await elf('opt/lib/libx.so');
    const app = await elf('usr/bin/tool', { interpreter: '/lib/ld-musl-x86_64.so.1', needed: ['libc.so', 'libx.so'] });
    expect(await planned(app)).toEqual([
      'app usr/bin/tool',
      'deps etc/ld-musl-x86_64.path',
      'deps opt/lib/libx.so',
      'deps usr/lib/ld-musl-x86_64.so.1',
    ]);
  });

  test('folders that are not merged: everything lands below /usr, and links still lead there', async () => {
    await elf('lib/x86_64-linux-gnu/libz.so.1.2');
    await link('lib/x86_64-linux-gnu/libz.so.1', '../../usr/lib/real/libz.so.1');
    await elf('usr/lib/real/libz.so.1');
    const app = await elf('bin/tool', { needed: ['libz.so.1'] });
    expect(await planned(app)).toEqual([
      'app usr/bin/tool',
      'deps usr/lib/real/libz.so.1',
      'deps usr/lib/x86_64-linux-gnu/libz.so.1 -> /usr/lib/real/libz.so.1',
    ]);
  });

  test('/usr/lib64 that leads to /usr/lib', async () => {
    await link('lib64', 'usr/lib');
    await elf('usr/lib/ld-linux-x86-64.so.2');
    const app = await elf('usr/bin/tool', { interpreter: GLIBC });
    expect(await planned(app)).toEqual([
      'app usr/bin/tool',
      'deps usr/lib/ld-linux-x86-64.so.2',
      'deps usr/lib64/ld-linux-x86-64.so.2 -> /usr/lib/ld-linux-x86-64.so.2',
    ]);
  });
});
