// SPDX-License-Identifier: Apache-2.0
// The guest's root: an archive that the kernel unpacks into memory. Debian's busybox and stress-ng, the suites, the
// libraries that all of these ask for, and the runner.
import { copyFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../../../kernel-build/command.ts';

const GUEST = join(import.meta.dirname, 'guest');
const FOLDERS = ['bin', 'dev', 'disk', 'etc', 'lib', 'lib64', 'mnt', 'proc', 'root', 'suites', 'sys', 'tests', 'tmp'];
const FILES = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
};

export interface RootContents {
  /** Folders on the host that become `/tests/NAME`. */
  readonly tests: Readonly<Record<string, string>>;
  /** More programs, by name; they come from where the host has them. */
  readonly programs: readonly string[];
}

/**
 * Makes the archive, without a plan.
 *
 * @param scratch an empty folder; the archive stays in it
 * @returns path of the archive
 */
export async function makeRoot(scratch: string, { tests, programs }: RootContents): Promise<string> {
  const root = join(scratch, 'root');
  for (const folder of FOLDERS) await mkdir(join(root, folder), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(root, path), text);

  const busybox = await which('busybox');
  await copyFile(busybox, join(root, 'bin/busybox'));
  for (const applet of (await runCommand(busybox, ['--list'])).split('\n')) {
    if (applet !== '' && applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet));
  }
  for (const program of programs) {
    await rm(join(root, 'bin', program), { force: true });
    await copyFile(await which(program), join(root, 'bin', program));
  }
  for (const [name, folder] of Object.entries(tests)) {
    await runCommand('cp', ['-a', folder, join(root, 'tests', name)]);
  }
  for (const script of ['init', 'under-load']) await copyFile(join(GUEST, script), join(root, 'suites', script));
  await symlink('suites/init', join(root, 'init'));
  for (const program of ['runner', 'netload']) {
    const output = join(root, 'suites', program);
    const flags = ['-static', '-O2', '-Wall', '-Wextra', '-Werror'];
    await runCommand('musl-gcc', [...flags, '-o', output, join(GUEST, `${program}.c`)]);
  }
  await addLibraries(root);
  const archive = join(scratch, 'root.cpio');
  await pack(root, archive);
  await rm(root, { recursive: true });
  return archive;
}

/** The archive with a plan: archives one after the other are one to the kernel. */
export async function withPlan(archive: string, plan: string, output: string): Promise<void> {
  const folder = `${output}.d`;
  await mkdir(join(folder, 'suites'), { recursive: true });
  await copyFile(plan, join(folder, 'suites/plan'));
  await pack(folder, `${output}.cpio`);
  await copyFile(archive, output);
  await writeFile(output, await readFile(`${output}.cpio`), { flag: 'a' });
  await rm(folder, { recursive: true });
  await rm(`${output}.cpio`);
}

async function pack(folder: string, archive: string): Promise<void> {
  const command = 'cd "$1" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 >"$2"';
  await runCommand('sh', ['-c', command, 'sh', folder, archive]);
}

async function which(program: string): Promise<string> {
  return (await runCommand('sh', ['-c', 'command -v "$1"', 'sh', program])).trim();
}

/** Everything that the dynamic linker would load for any program under the root, at the same paths. */
async function addLibraries(root: string): Promise<void> {
  // glibc loads this one by itself, when a thread is cancelled.
  const wanted = new Set([(await runCommand('gcc', ['-print-file-name=libgcc_s.so.1'])).trim()]);
  const programs: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && ((await stat(path)).mode & 0o111) !== 0) programs.push(path);
  }
  // Its status says that some are scripts, or linked statically.
  const list = await runCommand('sh', ['-c', 'ldd "$@" 2>/dev/null; true', 'sh', ...programs]);
  for (const [, library = ''] of list.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) wanted.add(library);
  for (const library of wanted) {
    const inside = library.includes('/libgcc_s') ? '/lib/x86_64-linux-gnu/libgcc_s.so.1' : library;
    await mkdir(join(root, dirname(inside)), { recursive: true });
    await copyFile(library, join(root, inside));
  }
}
