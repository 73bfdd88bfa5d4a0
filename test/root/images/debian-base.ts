// SPDX-License-Identifier: Apache-2.0
// The layer that images share: a minimal Debian 12, made by mmdebstrap from the mirror that this machine uses.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Buildah, type Mounts } from './buildah.ts';
import { cached, cacheFolder, keyOf, workFolder } from './cache.ts';
import { mustRun } from './command.ts';

export const SUITE = 'bookworm';

/** A mirror that stands still is good enough for tests, so the age of its lists is not checked. */
const APT_OPTIONS = ['Acquire::Check-Valid-Until "false"', 'Acquire::Languages "none"'];

const RECIPE = { SUITE, APT_OPTIONS, variant: 'minbase' };

/** Part of the key of every image on it. */
export const BASE_KEY = keyOf(RECIPE);

/** @returns the base as an OCI image layout, with the name `base` */
export function debianBase(): Promise<string> {
  return cached('debian-base', BASE_KEY, async (folder) => {
    const mirror = await debianMirror();
    await using buildah = new Buildah(await workFolder());
    const tar = join(folder, 'base.tar');
    const options = APT_OPTIONS.map((option) => `--aptopt=${option}`);
    // The lists stay out of the image; `aptMounts` brings them where packages are installed.
    await mustRun(
      ['nice', 'mmdebstrap', '--quiet', '--variant=minbase', ...options, SUITE, tar, `deb ${mirror} ${SUITE} main`],
      { timeoutMs: 1_200_000 },
    );
    const container = await buildah.run('from', 'scratch');
    await buildah.run('add', '--quiet', container, tar, '/');
    await buildah.configure(container, { Cmd: ['bash'] });
    await buildah.run('commit', '--quiet', container, 'base');
    await buildah.run('push', '--quiet', 'base', `oci:${join(folder, 'layout')}:base`);
    await mustRun(['rm', tar]);
  }).then((folder) => join(folder, 'layout'));
}

/** Folders for apt that all images use, so that lists and packages are fetched once. Neither gets into an image. */
export async function aptMounts(): Promise<Mounts> {
  const mounts = { 'apt-lists': '/var/lib/apt/lists', 'apt-archives': '/var/cache/apt/archives' };
  const found: Record<string, string> = {};
  for (const [name, inside] of Object.entries(mounts)) {
    const folder = join(cacheFolder(), name);
    await mkdir(join(folder, 'partial'), { recursive: true });
    found[folder] = inside;
  }
  return found;
}

async function debianMirror(): Promise<string> {
  const lines = await mustRun(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Origin: Debian']);
  const mirror = lines.split('\n').find((line) => /\/debian\/*$/.test(line));
  if (mirror === undefined) throw new Error('apt knows no mirror of Debian: run apt-get update');
  return mirror;
}
