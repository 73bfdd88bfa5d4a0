// SPDX-License-Identifier: Apache-2.0
// musl with system calls as function calls: the same programs in a guest, where they are, and on this machine, where
// they are not; static, static and movable, dynamic.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import {
  type BuiltKernel,
  type BuiltLibc,
  kernelFor,
  type LibcDescription,
  libcFor,
} from '../../kernel-build/index.ts';
import { bootGuest } from '../kernel/boot.ts';
import { initramfsOf } from '../kernel/initramfs.ts';
import { uk } from '../whole/command.ts';

const PROGRAMS = join(import.meta.dirname, 'programs');
const SOURCES = readdirSync(PROGRAMS).filter((name) => name.endsWith('.c'));
const FLAGS = ['-O2', '-Wall', '-Wextra', '-Werror'];
/** In the root folder of a guest, which is all that there is. */
const LOADER = '/ld-musl-x86_64.so.1';
const CHECKS = 44;
/** What only the kernel's entry can show. */
const CHECKS_OF_ENTRY = 1;

let folder: string;
let libc: BuiltLibc;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-libc-'));
  libc = await libcFor();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function compile(name: string, ...flags: string[]): string {
  const output = join(folder, name);
  execFileSync(libc.gcc, [...FLAGS, ...flags, '-o', output, ...SOURCES], { cwd: PROGRAMS });
  return output;
}

const failures = (lines: readonly string[]) => lines.filter((line) => line.startsWith('FAIL'));
const passes = (lines: readonly string[]) => lines.filter((line) => line.startsWith('ok '));

describe('on this machine, by SYSCALL', () => {
  test.each([
    ['static', ['-static']],
    ['pie', ['-static-pie']],
    ['dynamic', []],
  ])('%s', (name, flags) => {
    const loader = name === 'dynamic' ? [`-Wl,--dynamic-linker=${libc.loader}`] : [];
    const program = compile(`host-${name}`, ...flags, ...loader);
    const lines = execFileSync(program, [name], { encoding: 'utf8', timeout: 120_000 }).split('\n');
    expect(failures(lines)).toEqual([]);
    expect(passes(lines).length).toBe(CHECKS);
  });
});

describe('in a guest, by call', () => {
  let kernel: BuiltKernel;
  let initrd: string;

  beforeAll(async () => {
    kernel = await kernelFor((await loadProfile()).kernel);
    const files = {
      init: compile('init', '-static'),
      pie: compile('pie', '-static-pie'),
      dynamic: compile('dynamic', `-Wl,--dynamic-linker=${LOADER}`),
      [LOADER.slice(1)]: libc.loader,
    };
    initrd = join(folder, 'root.cpio');
    const content = Object.entries(files).map(([name, path]) => [name, readFileSync(path)]);
    await writeFile(initrd, initramfsOf(Object.fromEntries(content)));
  });

  test.each([1, 2])('with %i processors', async (cpus) => {
    const lines = (await bootGuest({ vmlinux: kernel.vmlinux, initrd, cpus })).split(/\r?\n/);
    expect(failures(lines)).toEqual([]);
    expect(passes(lines).length).toBe(3 * (CHECKS + CHECKS_OF_ENTRY));
    expect(lines).toContain('end');
    expect(lines.filter((line) => /\b(BUG|WARNING|Oops|panic|stalls?|lockup)\b/.test(line))).toEqual([]);
  });
});

/** Names of the functions with a SYSCALL instruction, in the order of their addresses. */
function syscallFunctions(program: string): string[] {
  const text = execFileSync('objdump', ['-d', '--no-show-raw-insn', program], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const found: string[] = [];
  let current = '';
  for (const line of text.split('\n')) {
    current = /^[0-9a-f]+ <(.+)>:$/.exec(line)?.[1] ?? current;
    if (/:\tsyscall\s*$/.test(line) && found.at(-1) !== current) found.push(current);
  }
  return found.sort();
}

test('SYSCALL is left where it has to be, and nowhere else', () => {
  expect(syscallFunctions(compile('listed', '-static'))).toEqual([
    '__clone',
    '__restore_rt',
    '__sys_plain',
    '__unmapself',
    'vfork',
  ]);
  const all = execFileSync('objdump', ['-d', '--no-show-raw-insn', libc.loader], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  // Two each of clone and __unmapself.
  expect(all.match(/:\tsyscall\s*$/gm)?.length).toBe(7);
});

test('says what it is made of', () => {
  const description = JSON.parse(readFileSync(libc.libcJson, 'utf8')) as LibcDescription;
  expect(description).toMatchObject({ name: 'ring0-musl', key: libc.key });
  expect(description.version).toMatch(/^1\.2\.\d+-/);
});

test('the same inputs give the same bytes', { timeout: 900_000 }, async () => {
  // The source that the first build had, whatever the distribution has by now.
  const cache = dirname(libc.folder);
  const source = readdirSync(cache, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.dsc'));
  vi.stubEnv('UK_MUSL_SOURCE', process.env.UK_MUSL_SOURCE || join(cache, source ?? ''));
  const again = await libcFor({ cacheDir: join(folder, 'another', 'cache') });
  vi.unstubAllEnvs();
  expect(again.key).toBe(libc.key);
  expect(again.cached).toBe(false);
  execFileSync('diff', ['-r', libc.folder, again.folder]);
});

test('a program of musl gets it in its image', { timeout: 600_000 }, async () => {
  const env = { UK_STORE: join(folder, 'store') };
  const program = join(folder, 'app');
  execFileSync('musl-gcc', [...FLAGS, '-o', program, join(import.meta.dirname, 'entry.c')]);
  const ran = async (name: string, ...args: string[]) => {
    await uk(['build', '-t', `localhost/libc:${name}`, '--app', program, ...args], { env });
    return (await uk(['run', `localhost/libc:${name}`], { env })).replaceAll('\r', '');
  };
  expect(await ran('ours', '--libc', 'ring0-musl')).toBe('by call');
  expect(await ran('own')).toBe('by SYSCALL');
});
