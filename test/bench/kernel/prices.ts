// SPDX-License-Identifier: Apache-2.0
// `npm run bench:presets`: what each fragment of the preset general adds to the small kernel, in bytes as compressed as a
// layer is, and in instructions to the first one of a program. One tree is configured and compiled again and again: it
// takes a quarter of an hour. Prints a table in Markdown.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, homedir, release } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { loadProfile } from '../../../hardware-profiles/index.ts';
import { collectTree, compileTree, configureTree } from '../../../kernel-build/build-tree.ts';
import { mergeFragments, readFragments } from '../../../kernel-build/fragments.ts';
import { compileInit } from '../../../kernel-build/guest-init.ts';
import { sourceTarball, unpackSource } from '../../../kernel-build/linux-source.ts';
import { applyPatch, readSeries } from '../../../kernel-build/patch-series.ts';
import { CompileProgress } from '../../../kernel-build/progress.ts';
import { fragmentsOf, PRESETS } from '../../../kernel-build/variants.ts';
import { linesOf } from './guest.ts';
import { compile, initrdOf } from './programs.ts';

const root = join(import.meta.dirname, '../../../kernel-build');
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uk');

/** Fragments that are nothing without the disk. */
const ON_DISKS = ['general/erofs', 'general/ext4'];

interface Price {
  bytes: number;
  instructions: number;
}

mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'bench-presets-'));
try {
  const { kernel } = await loadProfile();
  const tree = join(folder, 'linux');
  const init = join(folder, 'init');
  const first = await initrdOf(await compile('first.S', folder));
  const version = await unpack(tree);
  await compileInit(join(root, 'init'), init);

  const measure = async (extra: readonly string[]): Promise<Price> => {
    const names = fragmentsOf({ ...kernel, fragments: [...kernel.fragments, ...extra] });
    const result = mkdtempSync(join(folder, 'result-'));
    await configureTree(tree, mergeFragments(await readFragments(join(root, 'config'), names)), init, {});
    await compileTree(tree, availableParallelism(), new CompileProgress(0, () => {}), {});
    await collectTree(tree, result, {});
    const path = join(result, 'vmlinux');
    const level = { params: { [constants.ZSTD_c_compressionLevel]: 19 } };
    const [ticks] = await linesOf(
      { kernel: { name: 'ring 0', path, version, presets: true }, initrd: first, countInstructions: true },
      'first',
    );
    const price = { bytes: zstdCompressSync(readFileSync(path), level).length, instructions: Number(ticks) };
    rmSync(result, { recursive: true });
    return price;
  };

  const say = (what: string, { bytes, instructions }: Price, beside?: Price): void =>
    console.log(
      `| ${what} | ${(bytes - (beside?.bytes ?? 0)).toLocaleString('en')} | ${(instructions - (beside?.instructions ?? 0)).toLocaleString('en')} |`,
    );
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Linux ${version}, ${cpus().length} × ${cpus()[0]?.model}, host ${release()}, ` +
      `${execFileSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' }).trim()}\n`,
  );
  console.log('| fragment | bytes (zstd -19) | instructions to the program |\n| --- | --- | --- |');
  const small = await measure([]);
  say('**small**, all of it', small);
  const disk = await measure(['block']);
  say('`block`', disk, small);
  for (const fragment of PRESETS.general) {
    if (fragment === 'block') continue;
    const onDisk = ON_DISKS.includes(fragment);
    say(`\`${fragment}\``, await measure(onDisk ? ['block', fragment] : [fragment]), onDisk ? disk : small);
  }
  const general = await measure(PRESETS.general);
  say('**general**, all of them together', general, small);
  say('**general**, all of it', general);
  say('`zram`, in no preset', await measure([...PRESETS.general, 'zram']), general);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function unpack(tree: string): Promise<string> {
  const tarball = await sourceTarball();
  if (tarball === undefined) throw new Error('no kernel source: apt-get install linux-source-6.12');
  mkdirSync(tree);
  const version = await unpackSource(tarball, tree);
  for (const patch of await readSeries(join(root, 'patches'))) await applyPatch(tree, patch);
  return version;
}
