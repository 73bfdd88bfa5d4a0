// SPDX-License-Identifier: Apache-2.0
import { access, chmod, copyFile, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { failAs, type TreeOptions } from '../build-tree.ts';
import { runCommand } from '../command.ts';
import { CompileProgress, type KernelProgress } from '../progress.ts';

/** What a program that is linked against musl names as its interpreter; libc and dynamic linker are one file. */
export const LOADER = 'ld-musl-x86_64.so.1';

/** Names of the compiler's wrapper and where they stand in the result. */
export const WRAPPER = { 'ring0-musl-gcc': 'bin', 'ring0-musl.specs': 'lib' } as const;

/** Debian's musl has a function family that musl itself has not; programs of Debian's may use it. */
const FTS = [
  ['fts.c', 'src/fts'],
  ['config.h', 'src/fts'],
  ['fts.h', 'include'],
] as const;

const ROOM = '100 MB';

/**
 * Configures and compiles musl in its tree. It is installed below `/` of a folder, so no name of this machine gets in.
 *
 * @throws KernelError `BUILD_FAILED`
 */
export async function compileMusl(
  tree: string,
  jobs: number,
  report: (event: KernelProgress) => void,
  { signal }: TreeOptions,
): Promise<void> {
  await addFts(tree);
  report({ phase: 'configure' });
  await failAs('musl cannot be configured', { signal, room: ROOM }, () =>
    runCommand('./configure', ['--prefix=/', '--syslibdir=/lib', '--disable-wrapper', 'CC=gcc', 'CFLAGS=-O2'], {
      cwd: tree,
      signal,
      onLine() {},
    }),
  );
  report({ phase: 'compile' });
  const progress = new CompileProgress(0, report, compiledFile);
  await failAs('musl does not compile', { signal, room: ROOM }, () =>
    runCommand('make', [`-j${jobs}`], { cwd: tree, signal, onLine: (line) => progress.line(line) }),
  );
}

/** The file that a command of musl's Makefile makes: `gcc … -c -o obj/src/aio/aio.o …`. */
function compiledFile(line: string): string | undefined {
  return / -c -o obj\/(\S+)/.exec(line)?.[1];
}

async function addFts(tree: string): Promise<void> {
  for (const [name, folder] of FTS) {
    const file = join(tree, 'debian/musl-fts', name);
    if (
      !(await access(file).then(
        () => true,
        () => false,
      ))
    )
      continue;
    await mkdir(join(tree, folder), { recursive: true });
    await copyFile(file, join(tree, folder, name));
  }
}

/**
 * Installs headers, archives and the dynamic linker into a folder, and the compiler's wrapper.
 *
 * @throws KernelError `BUILD_FAILED`
 */
export async function collectMusl(
  tree: string,
  wrapper: string,
  folder: string,
  { signal }: TreeOptions,
): Promise<void> {
  const lib = join(folder, 'lib');
  await failAs('musl cannot be installed', { signal, room: ROOM }, async () => {
    await runCommand('make', ['install', `DESTDIR=${folder}`], { cwd: tree, signal, onLine() {} });
    // Its link is an absolute one; the name that programs ask for is better the file.
    await rm(join(lib, LOADER), { force: true });
    await rename(join(lib, 'libc.so'), join(lib, LOADER));
    await symlink(LOADER, join(lib, 'libc.so'));
    await runCommand('strip', ['--strip-unneeded', '--remove-section=.comment', LOADER], { cwd: lib, signal });
    await mkdir(join(folder, 'bin'), { recursive: true });
    for (const [name, place] of Object.entries(WRAPPER)) {
      await copyFile(join(wrapper, name), join(folder, place, name));
      await chmod(join(folder, place, name), place === 'bin' ? 0o755 : 0o644);
    }
  });
}
