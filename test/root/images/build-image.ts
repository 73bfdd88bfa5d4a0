// SPDX-License-Identifier: Apache-2.0
// From a recipe to an OCI image layout. Every step is one layer, as in a Dockerfile.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Buildah } from './buildah.ts';
import { cached, cachePath, keyOf, workFolder } from './cache.ts';
import { mustRun } from './command.ts';
import { aptMounts, BASE_KEY, debianBase, SUITE } from './debian-base.ts';
import { packFiles } from './image-files.ts';
import { FILES, type Recipe, type Step } from './recipe.ts';

const root = join(import.meta.dirname, '../../..');

/** @returns the image's layout for containers/image: `oci:FOLDER:NAME`, made at most once */
export async function builtImage(recipe: Recipe): Promise<string> {
  return layoutOf(recipe, await cached(recipe.name, await recipeKey(recipe), (part) => build(recipe, part)));
}

/** @returns the same of an image that was made before, else undefined */
export async function madeImage(recipe: Recipe): Promise<string | undefined> {
  const folder = cachePath(recipe.name, await recipeKey(recipe));
  return existsSync(folder) ? layoutOf(recipe, folder) : undefined;
}

function layoutOf({ name }: Recipe, folder: string): string {
  return `oci:${join(folder, 'layout')}:${name}`;
}

async function recipeKey({ from, steps, config }: Recipe): Promise<string> {
  const contents = steps
    .flatMap((step) => ('files' in step ? step.files : []))
    .flatMap((file) => ('copy' in file ? [file.copy] : 'compile' in file ? [file.compile] : []))
    .map((name) => readFile(join(FILES, name), 'utf8'));
  return keyOf({ base: from === 'debian' ? BASE_KEY : from, steps, config, contents: await Promise.all(contents) });
}

async function build({ name, from, steps, config }: Recipe, folder: string): Promise<void> {
  const work = await workFolder();
  await using buildah = new Buildah(work);
  let below = 'scratch';
  if (from === 'debian') {
    below = 'localhost/debian-base';
    await buildah.load(`oci:${await debianBase()}:base`, below);
  }
  for (const [index, step] of steps.entries()) {
    const container = await buildah.run('from', '--quiet', below);
    await takeStep(buildah, container, step, work);
    if (index === steps.length - 1) await buildah.configure(container, config);
    below = `localhost/${name}-${index}`;
    await buildah.run('commit', '--quiet', container, below);
    // vfs keeps a whole copy of the tree for each.
    await buildah.run('rm', container);
  }
  await buildah.run('push', '--quiet', '--compression-format=gzip', below, `oci:${join(folder, 'layout')}:${name}`);
}

async function takeStep(buildah: Buildah, container: string, step: Step, work: string): Promise<void> {
  if ('run' in step) {
    await buildah.script(container, step.run);
  } else if ('install' in step) {
    const packages = step.install.join(' ');
    const clean = 'rm -f /var/cache/apt/*.bin /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log';
    const install = `apt-get -q update; apt-get -q -y install --no-install-recommends ${packages}; ${clean}`;
    await buildah.script(container, install, await aptMounts());
  } else if ('remove' in step) {
    const mounted = await buildah.run('mount', container);
    for (const path of step.remove) await rm(join(mounted, path), { recursive: true });
    await buildah.run('umount', container);
  } else {
    const tar = join(work, 'step.tar');
    if ('files' in step) await packFiles(step.files, tar, work);
    else await unpackPackages(step.unpack, step.finish, tar, work);
    await buildah.run('add', '--quiet', container, tar, '/');
  }
}

async function unpackPackages(packages: readonly string[], finish = '', tar: string, work: string): Promise<void> {
  const tree = await mkdtemp(join(work, 'tree-'));
  await mustRun(['sh', join(root, 'test/setup/unpack-debian.sh'), tree, SUITE, ...packages], { cwd: root });
  await mustRun(['sh', '-euc', finish], { cwd: tree });
  await mustRun(['chmod', '755', tree]);
  await mustRun(['tar', '-C', tree, '-cf', tar, '.']);
}
