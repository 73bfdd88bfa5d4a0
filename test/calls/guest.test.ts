// SPDX-License-Identifier: Apache-2.0
// The library in ring 0, with the kernel that every image gets by default: a C++ program of glibc as init.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { buildCalls, kernelFor } from '../../kernel-build/index.ts';
import { bootGuest } from '../kernel/boot.ts';
import { initramfsOf } from '../kernel/initramfs.ts';
import { runUk, uk } from '../whole/command.ts';
import { CHECKS, compileChecks, mutant, readOutcome, SIGNALS } from './programs.ts';

const LOADER = 'ld-linux-x86-64.so.2';

let folder: string;
let vmlinux: string;
let initrd: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uk-calls-'));
  ({ vmlinux } = await kernelFor((await loadProfile()).kernel));
  const { library } = await buildCalls(folder);
  const init = compileChecks(join(folder, 'init'), [`-Wl,--dynamic-linker=/${LOADER}`]);
  const names = ['libc.so.6', 'libm.so.6', 'libgcc_s.so.1', 'libstdc++.so.6', LOADER];
  const libraries = names.map((name) => [name, readFileSync(pathOf(name))]);
  // The entry's table is for no address.
  const there = mkdtempSync(join(folder, 'mutant-'));
  const replaced = mutant(there, 'entry-frame.c', /#define ENTRY_SIZE 32/, '#define ENTRY_SIZE 0');
  const wrong = await buildCalls(there, { replaced });
  const files = {
    init: readFileSync(init),
    'ring0-calls.so': readFileSync(library),
    'wrong.so': readFileSync(wrong.library),
  };
  initrd = join(folder, 'root.cpio');
  writeFileSync(initrd, initramfsOf({ ...files, ...Object.fromEntries(libraries) }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pathOf = (library: string) => execFileSync('g++', [`-print-file-name=${library}`], { encoding: 'utf8' }).trim();

/** What the kernel does not know on its command line is in the environment of init. */
const boot = async (cpus: number, environment: string) =>
  await bootGuest({ vmlinux, initrd, cpus, append: `LD_LIBRARY_PATH=/ ${environment}` });

describe.each([1, 2])('with %i processors', (cpus) => {
  let log: string;
  beforeAll(async () => {
    log = await boot(cpus, 'LD_PRELOAD=/ring0-calls.so UK_CALLS_REPORT=1');
  });

  test('calls are replaced', () => {
    expect(log).toContain('{"calls":"patched","error":0,');
    expect(readOutcome(log).told).toMatchObject({ getppid: 'jump', read: 'jump', write: 'jump', vfork: 'syscall' });
  });

  test('all checks go well', () => {
    const { failed, ok, ended } = readOutcome(log);
    expect({ failed, ok, ended }).toEqual({ failed: [], ok: CHECKS, ended: true });
  });

  test('the kernel has nothing to complain of', () => {
    expect(log.split(/\r?\n/).filter((line) => /\b(BUG|WARNING|Oops|panic|stalls?|lockup)\b/.test(line))).toEqual([]);
  });
});

test('unwinders went on from inside the kernel', async () => {
  const log = await boot(1, 'LD_PRELOAD=/ring0-calls.so');
  expect(readOutcome(log).told['restarted in the kernel']).toBe('5');
});

test('without the table of the entry they do not, and the checks find it', async () => {
  const { failed, told, ended } = readOutcome(await boot(1, 'LD_PRELOAD=/wrong.so CHECKS=signals'));
  expect(told.read).toBe('jump');
  // What goes wrong then depends on when the signals come: a check says no, or the program does not come to its end.
  const names = failed.map((line) => line.replace(/ \(.*/, ''));
  expect(names.includes(SIGNALS[0] ?? '') || !ended).toBe(true);
});

test('without the library the same program makes its calls by SYSCALL', async () => {
  const { failed, ok, told } = readOutcome(await boot(1, ''));
  expect({ failed, ok }).toEqual({ failed: [], ok: CHECKS });
  expect(told).toMatchObject({ getppid: 'syscall', 'restarted in the kernel': '0' });
});

test('uk build --calls: an unmodified program in an image', async () => {
  const options = { env: { UK_STORE: join(folder, 'store') } };
  const program = compileChecks(join(folder, 'program'));
  await uk(['build', '-t', 'localhost:5000/calls:1', '--calls', '-e', 'UK_CALLS_REPORT=1', '--app', program], options);
  const { stdout, stderr, status } = await runUk(['run', 'localhost:5000/calls:1'], options);
  expect(stderr.toString()).toContain('{"calls":"patched","error":0,');
  const { failed, ok, ended, told } = readOutcome(stdout.toString());
  expect({ failed, ok, ended, status }).toEqual({ failed: [], ok: CHECKS, ended: true, status: 0 });
  expect(told).toMatchObject({ getppid: 'jump', read: 'jump', write: 'jump' });
});

test('uk build --calls: a static program and a list without the library are refused', async () => {
  const options = { env: { UK_STORE: join(folder, 'store') } };
  const fixed = compileChecks(join(folder, 'static'), ['-static', '-w']);
  const build = ['build', '-t', 'localhost:5000/refused:1', '--calls', '--app'];
  const refused = await runUk([...build, fixed], options);
  expect(refused.stderr.toString()).toContain('static is linked statically: nothing can be loaded before it');
  const list = join(folder, 'list');
  writeFileSync(list, '/usr/lib/other.so\n');
  const program = compileChecks(join(folder, 'listed'));
  const conflict = await runUk([...build, program, '--add', `${list}:/etc/ld.so.preload`], options);
  expect(conflict.stderr.toString()).toContain(
    '/etc/ld.so.preload is added, and does not name /usr/lib/ring0-calls.so',
  );
  expect([refused.status, conflict.status]).toEqual([1, 1]);
});
