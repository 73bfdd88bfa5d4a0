// SPDX-License-Identifier: Apache-2.0
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, plainEnvironment, runCommand } from './command.ts';
import { KernelError } from './errors.ts';
import { formatSettings, type Settings, verifyConfig } from './fragments.ts';
import { initramfsList } from './guest-init.ts';
import type { CompileProgress } from './progress.ts';

export interface TreeOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Relative, as the kernel's configuration holds it: the kernel's bytes do not depend on where it is built. */
const INITRAMFS_LIST = 'uk-initramfs.list';
const INIT = 'uk-init';

/**
 * What the kernel says of its own making: nothing true, but always the same. The date is also that of the files in the
 * initramfs.
 *
 * @see linux/Documentation/kbuild/reproducible-builds.rst
 */
const FIXED = {
  KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
  KBUILD_BUILD_USER: 'uk',
  KBUILD_BUILD_HOST: 'uk',
  KBUILD_BUILD_VERSION: '1',
};

/**
 * Kconfig writes into the configuration whether these are there and how old they are, though nothing here uses them: two
 * machines with the same compiler would have kernels that differ.
 */
const UNUSED_TOOLS = ['RUSTC=/none', 'BINDGEN=/none', 'PAHOLE=/none'];

/** Calls make in the kernel's tree: in it, not beside it, so that all names it sees are relative. */
async function make(
  tree: string,
  args: readonly string[],
  env: Record<string, string>,
  options: TreeOptions & { onLine?: (line: string) => void },
) {
  const { signal, onLine } = options;
  await runCommand('make', [...UNUSED_TOOLS, ...args], {
    cwd: tree,
    env: { ...plainEnvironment(), ...FIXED, ...env },
    signal,
    onLine,
  });
}

/**
 * Configures the tree: the settings, everything else off.
 *
 * @param init path of the guest's compiled init
 * @throws KernelError `CONFIG_NOT_TAKEN`, `BUILD_FAILED`
 */
export async function configureTree(
  tree: string,
  settings: Settings,
  init: string,
  options: TreeOptions,
): Promise<void> {
  await copyFile(init, join(tree, INIT));
  await writeFile(join(tree, INITRAMFS_LIST), initramfsList(INIT));
  const wanted: Settings = new Map([...settings, ['CONFIG_INITRAMFS_SOURCE', `"${INITRAMFS_LIST}"`]]);
  await writeFile(join(tree, 'uk.config'), formatSettings(wanted));
  await failAs('the kernel cannot be configured', options, () =>
    make(tree, ['allnoconfig'], { KCONFIG_ALLCONFIG: 'uk.config' }, options),
  );
  verifyConfig(wanted, await readFile(join(tree, '.config'), 'utf8'));
}

/**
 * Compiles and links `vmlinux`, nothing else: there are no modules, and nobody boots a compressed image.
 *
 * @param jobs how many compilers run at once
 * @throws KernelError `BUILD_FAILED`
 */
export async function compileTree(
  tree: string,
  jobs: number,
  progress: CompileProgress,
  options: TreeOptions,
): Promise<void> {
  await failAs('the kernel does not compile', options, () =>
    make(tree, [`-j${jobs}`, 'vmlinux'], {}, { ...options, onLine: (line) => progress.line(line) }),
  );
}

/**
 * Copies the kernel out of its tree: `vmlinux` without symbols (the notes stay, and with them the entry for PVH),
 * `vmlinux.debug` and `System.map` for who has to read a crash, `config`.
 *
 * @throws KernelError `BUILD_FAILED`
 */
export async function collectTree(tree: string, folder: string, options: TreeOptions): Promise<void> {
  await failAs('the kernel cannot be stripped', options, async () => {
    const strip = ['--strip-all', '--remove-section=.comment', '-o', join(folder, 'vmlinux'), 'vmlinux'];
    await runCommand('strip', strip, { cwd: tree, signal: options.signal });
    await copyFile(join(tree, 'vmlinux'), join(folder, 'vmlinux.debug'));
    await copyFile(join(tree, 'System.map'), join(folder, 'System.map'));
    await copyFile(join(tree, '.config'), join(folder, 'config'));
  });
}

const DIAGNOSIS = /\berror\b|undefined reference|No space left/i;

/** The line of a failed build's last ones that says why: an error that is not make's own, else what came before that. */
export function reasonOf(tail: readonly string[]): string | undefined {
  const makes = tail.findIndex((line) => line.includes('***'));
  const lines = makes === -1 ? tail : tail.slice(0, makes);
  return lines.find((line) => DIAGNOSIS.test(line)) ?? lines.at(-1) ?? tail.at(-1);
}

/**
 * Runs a part of a build; what fails in it is told as `BUILD_FAILED`, with the line that says why.
 *
 * @param room how much of the disk the build needs, for who has not enough
 */
export async function failAs<T>(
  message: string,
  { signal, room = '1.5 GB' }: TreeOptions & { readonly room?: string },
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    signal?.throwIfAborted();
    const lines = cause instanceof CommandError ? cause.tail : [];
    const reason = reasonOf(lines) ?? (cause as Error).message;
    const full = lines.some((line) => line.includes('No space left'));
    throw new KernelError('BUILD_FAILED', `${message}: ${reason.trim().slice(0, 300)}`, {
      cause,
      ...(full ? { hint: `the build needs ${room} in the cache folder; set XDG_CACHE_HOME to one with room` } : {}),
    });
  }
}
