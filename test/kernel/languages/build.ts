// SPDX-License-Identifier: Apache-2.0
// The programs in many languages: how each is made, and what it needs beside it.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AddedPath } from '../../../image-format/build/index.ts';
import { buildRoot } from '../built-root.ts';
import type { CheckedGuest } from '../checked-guest.ts';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const STRICT = ['-O2', '-Wall', '-Wextra', '-Werror'];

/** Makes one program in a folder. Its path below /tests is its name here. */
type Recipe = (output: string) => Promise<AddedPath[]>;

const compiled =
  (compiler: string, source: string, ...flags: string[]): Recipe =>
  async (output) => {
    await run(compiler, [...STRICT, ...flags, '-o', output, join(HERE, source), '-lm']);
    return [];
  };

const exceptions = (...flags: string[]) =>
  compiled('g++', 'exceptions.cc', '-std=c++17', '-fnon-call-exceptions', ...flags);

/** In the order of their names, in which they run. A program with a libc of ours goes here, too. */
const RECIPES: Readonly<Record<string, Recipe>> = {
  'cxx-dynamic': exceptions(),
  'cxx-static': exceptions('-static', '-DSTATIC'),
  'glibc-dynamic': async (output) => {
    await compiled('gcc', 'glibc.c')(output);
    return [sameSource('/lib/x86_64-linux-gnu/libm.so.6', '/usr')];
  },
  'glibc-static': compiled('gcc', 'glibc.c', '-static', '-DSTATIC'),
  go: buildGo,
  python: addPython,
};

/** How many lines `ok` each prints, with that of its end. */
export const CHECKS: Readonly<Record<string, number>> = {
  'cxx-dynamic': 8,
  'cxx-static': 8,
  'glibc-dynamic': 12,
  'glibc-static': 11,
  go: 11,
  python: 12,
};

const PYTHON = '/usr/lib/python3.11';
/** What no program loads, half of it all. */
const LEFT_OUT = /^(?:config-.*|test|lib2to3|pydoc_data|distutils|idlelib|ensurepip|turtledemo|tkinter|__pycache__)$/;

/** Why a language is left out on this machine. */
export function missingLanguages(): Record<string, string> {
  const missing: Record<string, string> = {};
  if (spawnSync('sh', ['test/setup/go.sh'], { cwd: join(HERE, '../../..') }).status !== 0) missing.go = 'no Go here';
  if (!existsSync('/usr/bin/python3.11')) missing.python = 'no Python 3.11 of Debian here';
  return missing;
}

function sameSource(path: string, prefix = ''): AddedPath {
  return { source: path, destination: `${prefix}${path}`, layer: 'deps' };
}

async function buildGo(output: string): Promise<AddedPath[]> {
  const go = execFileSync('sh', ['test/setup/go.sh'], { cwd: join(HERE, '../../..'), encoding: 'utf8' }).trim();
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uk');
  const settings = { GOTOOLCHAIN: 'local', GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' };
  await run(go, ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', output, '.'], {
    cwd: join(HERE, 'go'),
    env: { ...process.env, GOPATH: join(cache, 'go'), GOCACHE: join(cache, 'go-build'), ...settings },
  });
  return [];
}

async function addPython(output: string): Promise<AddedPath[]> {
  await run('install', ['-m', '755', join(HERE, 'python.py'), output]);
  return [sameSource('/usr/bin/python3.11'), ...(await pythonModules())];
}

/** Python's own modules, which gdb loads, too. */
export async function pythonModules(): Promise<AddedPath[]> {
  const modules = (await readdir(PYTHON)).filter((name) => !LEFT_OUT.test(name));
  return modules.map((name) => sameSource(join(PYTHON, name)));
}

/** @returns paths of a kernel and of an initramfs with the programs, without those in `without` */
export async function buildLanguages(folder: string, without: readonly string[]): Promise<CheckedGuest> {
  const programs = join(folder, 'tests');
  await mkdir(programs);
  const adds: AddedPath[] = [];
  for (const [name, recipe] of Object.entries(RECIPES)) {
    if (without.includes(name)) continue;
    adds.push({ source: join(programs, name), destination: `/tests/${name}` });
    adds.push(...(await recipe(join(programs, name))));
  }
  return await buildRoot(folder, adds);
}
