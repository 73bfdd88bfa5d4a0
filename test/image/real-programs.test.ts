// SPDX-License-Identifier: Apache-2.0
// Programs that real compilers made, in images that are unpacked by GNU tar and run in a chroot: if a library, a link or
// the interpreter is not where the dynamic linker looks for it, they do not start.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { type AddedPath, buildImage, validateImage } from '../../image-format/build/index.ts';
import { type ContentStore, openContentStore } from '../../image-format/layout/index.ts';

const has = (tool: string) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
const canEnter = spawnSync('unshare', ['--mount', 'true']).status === 0;

const PROGRAM = `
#include <stdio.h>
int main(int argc, char **argv) { printf("hello from %s with %d\\n", argv[0], argc - 1); return 42; }
`;
const THREADS = `
#include <iostream>
#include <stdexcept>
#include <thread>
int main() {
  std::thread thread([] { try { throw std::runtime_error("thrown"); } catch (std::exception &e) { std::cout << e.what() << "\\n"; } });
  thread.join();
}
`;
/** Looks a name up, which glibc does by plug-ins where it is told to. */
const NAMES = `
#include <netdb.h>
#include <pwd.h>
#include <pthread.h>
#include <stdio.h>
static void *leave(void *unused) { pthread_exit(unused); }
int main(void) {
  pthread_t thread;
  struct addrinfo *found;
  struct passwd *nobody = getpwnam("nobody");
  pthread_create(&thread, 0, leave, 0);
  pthread_join(thread, 0);
  printf("%d %d\\n", nobody ? (int)nobody->pw_uid : -1, getaddrinfo("localhost", 0, 0, &found));
}
`;

let dir: string;
let store: ContentStore;
let kernel: { vmlinux: string; config: string; kernelJson: object };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-real-'));
  store = await openContentStore(join(dir, 'store'));
  await writeFile(join(dir, 'vmlinux'), 'no kernel: nothing is booted here');
  await writeFile(join(dir, 'config'), '');
  kernel = { vmlinux: join(dir, 'vmlinux'), config: join(dir, 'config'), kernelJson: { variant: 'default' } };
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

async function compile(name: string, compiler: string, source: string, ...flags: string[]): Promise<string> {
  const file = join(dir, `${name}.${compiler.includes('++') ? 'cc' : 'c'}`);
  await writeFile(file, source);
  execFileSync(compiler, ['-o', join(dir, name), file, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  return join(dir, name);
}

/** Builds, unpacks all four layers with GNU tar, and runs the image's command in what comes out. */
async function run(app: string, options: { args?: string[]; adds?: AddedPath[]; compression?: 'zstd' | 'gzip' } = {}) {
  const { args = [], adds = [], compression = 'zstd' } = options;
  const profile = await loadProfile();
  const { descriptor } = await buildImage({ app, adds, args, profile, kernel }, store, { compression });
  const image = await validateImage(store, descriptor);
  const root = await mkdtemp(join(dir, 'root-'));
  for (const { descriptor } of Object.values(image.layers)) {
    const unpack = compression === 'gzip' ? '--gzip' : '--zstd';
    execFileSync('tar', [unpack, '--numeric-owner', '-xpf', await store.path(descriptor.digest), '-C', root]);
  }
  const { Entrypoint = [], Cmd = [] } = image.config.config ?? {};
  // A guest has /proc; glibc needs it to know where a program stands ($ORIGIN).
  const enter = 'mount -t proc proc "$1/proc" && exec chroot "$@"';
  const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', enter, 'sh', root, ...command], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe.skipIf(!canEnter)(`programs in a chroot${canEnter ? '' : ' (skipped: needs root)'}`, () => {
  test.each([
    ['glibc, dynamic', 'gcc', []],
    ['glibc, static', 'gcc', ['-static']],
    ['glibc, static PIE', 'gcc', ['-static-pie']],
    ['glibc, no PIE', 'gcc', ['-no-pie']],
    ['musl, static', 'musl-gcc', ['-static']],
    ['musl, dynamic', 'musl-gcc', []],
  ])('%s', async (name, compiler, flags) => {
    if (!has(compiler)) throw new Error(`${compiler} is missing: npm test installs it`);
    const program = await compile(name.replace(/\W+/g, '-'), compiler, PROGRAM, ...flags);
    expect(await run(program, { args: ['a', 'b'] })).toMatchObject({
      status: 42,
      stdout: expect.stringMatching(/^hello from \/app\/.* with 2\n$/),
    });
  });

  test('C++ with threads and exceptions', async () => {
    const program = await compile('threads', 'g++', THREADS, '-pthread');
    expect(await run(program)).toMatchObject({ status: 0, stdout: 'thrown\n' });
  });

  test('names are looked up, and threads end, with what is in the image', async () => {
    const program = await compile('names', 'gcc', NAMES, '-pthread');
    expect(await run(program)).toMatchObject({ status: 0, stdout: '65534 0\n' });
  });

  test('libraries beside a program, and libraries that only the cache knows', async () => {
    await mkdir(join(dir, 'lib'), { recursive: true });
    const library = 'int answer(void) { return 42; }';
    await compile('lib/libanswer.so', 'gcc', library, '-shared', '-fPIC', '-Wl,-soname,libanswer.so');
    const user = 'int answer(void); int main(void) { return answer(); }';
    const beside = await compile('beside', 'gcc', user, `-L${join(dir, 'lib')}`, '-lanswer', '-Wl,-rpath,$ORIGIN/lib');
    expect((await run(beside)).status).toBe(42);
    const plain = await compile('plain', 'gcc', user, `-L${join(dir, 'lib')}`, '-lanswer');
    await expect(run(plain)).rejects.toMatchObject({ code: 'LIBRARY_MISSING' });
    const adds = [{ source: join(dir, 'lib/libanswer.so'), destination: '/usr/lib/', layer: 'deps' as const }];
    expect((await run(plain, { adds })).status).toBe(42);
  });

  test('a script with its interpreter, packed by gzip', async () => {
    await writeFile(join(dir, 'script.sh'), '#!/bin/sh -e\necho "$0: $*"\nexit 7\n');
    expect(await run(join(dir, 'script.sh'), { args: ['x y'], compression: 'gzip' })).toMatchObject({
      status: 7,
      stdout: '/app/script.sh: x y\n',
    });
  });

  test('programs of the system, at their own paths', async () => {
    expect(await run('/bin/ls', { args: ['-d', '/tmp'] })).toMatchObject({ status: 0, stdout: '/tmp\n' });
  });
});
