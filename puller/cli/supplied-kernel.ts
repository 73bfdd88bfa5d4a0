// SPDX-License-Identifier: Apache-2.0
import { loadProfile } from '../../hardware-profiles/index.ts';
import { ANNOTATION, type Descriptor, parseManifestDocument, parseReference } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import type { ReadyKernel } from '../index.ts';
import type { Session } from './context.ts';
import { buildKernel } from './kernel.ts';
import { canonicalName, displayName, resolveLocal } from './references.ts';
import { pull } from './transfer.ts';

export interface SuppliedKernelFlags {
  kernel?: string;
  profile?: string;
  pull: 'missing' | 'always' | 'never';
  plainHttp?: boolean;
}

/** What programs of any container image expect. */
const PRESET = 'general';

/**
 * The kernel for a plain container image: the one that was asked for, else a kernel image of the store, else the one
 * that is built on this machine. One line says which.
 *
 * @throws CliError, ImageError, KernelError
 */
export async function supplyKernel(
  session: Session,
  store: ContentStore,
  flags: SuppliedKernelFlags,
): Promise<ReadyKernel> {
  const { kernelOfFiles, kernelOfImage } = await import('../index.ts');
  const { signal } = session;
  const which = flags.profile === undefined ? {} : { profile: flags.profile };
  const say = (what: string): void => session.output.note(`uk: the image has no kernel of its own; it gets ${what}`);
  if (flags.kernel !== undefined) {
    const missing = (await store.resolve(canonicalName(flags.kernel))) === undefined;
    if (missing && flags.pull !== 'never') await pull(session, store, parseReference(flags.kernel), flags);
    const { name, descriptor } = await resolveLocal(store, flags.kernel);
    const kernel = await kernelOfImage(store, descriptor, { signal, ...which });
    say(`that of ${displayName(name)}`);
    return kernel;
  }
  const profile = await loadProfile(flags.profile);
  const held = await kernelImage(store, profile.name);
  if (held !== undefined) {
    const kernel = await kernelOfImage(store, held.descriptor, { signal, ...which });
    say(`that of ${displayName(held.name)}`);
    return kernel;
  }
  const progress = await session.output.progress();
  const built = await buildKernel(session, profile, progress, PRESET).finally(progress.close);
  const kernel = await kernelOfFiles(built, profile);
  say(`Linux ${String(kernel.kernelJson.version)} of the preset ${PRESET}`);
  return kernel;
}

/** A kernel image that the store holds for that profile; where there are several, the last by name. */
async function kernelImage(
  store: ContentStore,
  profile: string,
): Promise<{ name: string; descriptor: Descriptor } | undefined> {
  const images = await store.list();
  const annotations = await Promise.all(images.map(({ descriptor }) => annotationsOf(store, descriptor)));
  const fitting = images.filter((_, index) => {
    const said = annotations[index];
    return said?.[ANNOTATION.kernelPreset] === PRESET && said[ANNOTATION.profile] === profile;
  });
  return fitting.sort((a, b) => (a.name < b.name ? -1 : 1)).at(-1);
}

/** A manifest that cannot be read is none that is wanted here. */
async function annotationsOf(store: ContentStore, { digest, mediaType }: Descriptor): Promise<Record<string, string>> {
  try {
    return parseManifestDocument(await store.read(digest), mediaType).value.annotations ?? {};
  } catch {
    return {};
  }
}
