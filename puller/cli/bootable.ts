// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, parseReference } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import type { Bootable } from '../index.ts';
import type { Session } from './context.ts';
import { CliError } from './errors.ts';
import { assemblyProgress } from './output/assembly-progress.ts';
import { canonicalName, resolveLocal } from './references.ts';
import { pull } from './transfer.ts';

export interface BootableFlags {
  profile?: string;
  kernel?: string;
  pull: 'missing' | 'always' | 'never';
  plainHttp?: boolean;
}

export interface FoundImage {
  /** The name that the store knows it by. */
  name: string;
  descriptor: Descriptor;
}

/** Finds an image, fetches it where that is wanted, and makes it bootable. */
export async function prepare(
  session: Session,
  image: string,
  flags: BootableFlags,
): Promise<FoundImage & { bootable: Bootable }> {
  const store = await session.openStore();
  const found = await findImage(session, store, image, flags);
  return { ...found, bootable: await bootableOf(session, store, found.descriptor, flags) };
}

/** @throws ImageError `NOT_FOUND`, `REFERENCE_INVALID`; what a pull throws */
export async function findImage(
  session: Session,
  store: ContentStore,
  image: string,
  flags: BootableFlags,
): Promise<FoundImage> {
  await fetchIfWanted(session, store, image, flags);
  return await resolveLocal(store, image);
}

/** @throws CliError `USAGE`; PullerError, ImageError, KernelError */
export async function bootableOf(
  session: Session,
  store: ContentStore,
  descriptor: Descriptor,
  flags: BootableFlags,
): Promise<Bootable> {
  const { assemble } = await import('../index.ts');
  const shown = assemblyProgress(session);
  let supplied = false;
  try {
    const bootable = await assemble(store, descriptor, {
      signal: session.signal,
      profile: flags.profile,
      kernel: async () => {
        supplied = true;
        const { supplyKernel } = await import('./supplied-kernel.ts');
        return supplyKernel(session, store, flags);
      },
      onProgress: shown.onProgress,
    });
    if (flags.kernel !== undefined && !supplied) {
      throw new CliError('USAGE', 'the image has a kernel of its own: --kernel is for plain container images', {
        hint: 'leave it out, or build the image again with uk build --kernel',
      });
    }
    return bootable;
  } finally {
    shown.close();
  }
}

async function fetchIfWanted(
  session: Session,
  store: ContentStore,
  image: string,
  flags: BootableFlags,
): Promise<void> {
  if (flags.pull === 'never') return;
  if (flags.pull === 'missing' && (await store.resolve(canonicalName(image))) !== undefined) return;
  await pull(session, store, parseReference(image), flags);
}
