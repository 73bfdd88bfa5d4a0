// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { type AddedPath, buildImage } from '../../image-format/build/index.ts';
import { openContentStore } from '../../image-format/layout/index.ts';
import { kernelFor } from '../../kernel-build/index.ts';
import { assemble } from '../../puller/index.ts';
import { type CheckedGuest, compile } from './checked-guest.ts';

/**
 * A root with dynamic programs of this machine, laid out by `uk build` with all libraries that they load. Process 1
 * (languages/init.c) runs what stands in /tests, or the command behind `--` on the kernel's command line.
 */
export async function buildRoot(folder: string, adds: readonly AddedPath[]): Promise<CheckedGuest> {
  await mkdir(folder, { recursive: true });
  await compile(join(folder, 'init'), ['languages/init.c']);
  const profile = await loadProfile();
  const [kernel, store] = await Promise.all([kernelFor(profile.kernel), openContentStore(join(folder, 'store'))]);
  const files = { vmlinux: kernel.vmlinux, config: kernel.config, kernelJson: kernel.kernelJson };
  const request = { app: join(folder, 'init'), appPath: '/init', adds, profile, kernel: files };
  const { descriptor } = await buildImage(request, store);
  const { root } = await assemble(store, descriptor, { cacheDir: join(folder, 'cache') });
  if (root.kind !== 'initramfs') throw new Error('the tests of the kernel have their root in memory');
  return { vmlinux: kernel.vmlinux, initrd: root.initrd };
}
