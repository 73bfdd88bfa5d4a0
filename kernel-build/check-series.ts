// SPDX-License-Identifier: Apache-2.0
// Checks the patch series as a reviewer would: each patch applies exactly, and the kernel compiles after each of them,
// with programs in ring 0 and in ring 3. A program of its own, as it takes a quarter of an hour:
//
//     node kernel-build/check-series.ts [--full]
//
// Without --full it compiles what the series touches (arch/x86 and who includes its headers), with it all of vmlinux.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProfile } from '../hardware-profiles/index.ts';
import { CommandError, plainEnvironment, runCommand } from './command.ts';
import { formatSettings, mergeFragments, readFragments, type Settings, verifyConfig } from './fragments.ts';
import { sourceTarball, unpackSource } from './linux-source.ts';
import { applyPatch, readSeries } from './patch-series.ts';
import { fragmentsOf } from './variants.ts';

const TOUCHED = [
  ...['arch/x86/', 'kernel/entry/', 'kernel/fork.o', 'kernel/params.o', 'fs/binfmt_elf.o', 'fs/coredump.o'],
  ...['mm/slub.o', 'mm/slab_common.o', 'lib/crypto/blake2s.o', 'drivers/char/virtio_console.o'],
];
const VARIANTS = ['default', 'ring3'];

async function settingsOf(variant: string): Promise<Settings> {
  const { kernel } = await loadProfile();
  const names = fragmentsOf({ variant, fragments: kernel.fragments });
  const settings = mergeFragments(await readFragments(join(import.meta.dirname, 'config'), names));
  // The initramfs has no part in this.
  settings.delete('CONFIG_INITRAMFS_COMPRESSION_NONE');
  return settings;
}

async function make(
  tree: string,
  output: string,
  targets: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const warnings: string[] = [];
  const args = [`-j${availableParallelism()}`, `O=${output}`, ...targets];
  const onLine = (line: string) => /warning:|error:/.test(line) && warnings.push(line);
  await runCommand('make', args, { cwd: tree, env: { ...plainEnvironment(), ...env }, onLine });
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
}

async function check(folder: string, targets: readonly string[]): Promise<void> {
  const tarball = await sourceTarball();
  if (tarball === undefined) throw new Error('no kernel source: apt-get install linux-source-6.12');
  const tree = join(folder, 'linux');
  await mkdir(tree);
  console.log(`linux ${await unpackSource(tarball, tree)}`);
  const series = await readSeries(join(import.meta.dirname, 'patches'));
  for (const patch of series) {
    const inexact = await applyPatch(tree, patch);
    console.log(`${patch.name}${inexact.length === 0 ? '' : `: ${inexact.join('; ')}`}`);
    const hasOption = (await readFile(join(tree, 'arch/x86/Kconfig'), 'utf8')).includes('config RING0_USER');
    for (const variant of hasOption ? VARIANTS : ['ring3']) {
      const started = performance.now();
      const output = join(folder, variant);
      const settings = await settingsOf(variant);
      await mkdir(output, { recursive: true });
      await writeFile(join(output, 'uk.config'), formatSettings(settings));
      await make(tree, output, ['allnoconfig'], { KCONFIG_ALLCONFIG: join(output, 'uk.config') });
      // What a later patch adds as an option is not there before.
      if (patch === series.at(-1)) verifyConfig(settings, await readFile(join(output, '.config'), 'utf8'));
      await make(tree, output, targets);
      console.log(`  ${variant}: compiles (${Math.round((performance.now() - started) / 1000)} s)`);
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), 'uk-series-'));
try {
  await check(folder, process.argv.includes('--full') ? ['vmlinux'] : TOUCHED);
} catch (error) {
  console.error(error instanceof CommandError ? error.tail.join('\n') : (error as Error).message);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
