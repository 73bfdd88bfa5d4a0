// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { parseReference } from '../../../image-format/index.ts';
import type { Preset } from '../../../kernel-build/index.ts';
import type { Session } from '../context.ts';
import { buildKernel, kernelFiles } from '../kernel.ts';
import { formatBytes } from '../output/bytes.ts';
import { canonicalName, pinnedName } from '../references.ts';
import { pull, push } from '../transfer.ts';

export interface KernelFlags {
  profile?: string;
  preset?: Preset;
  plainHttp?: boolean;
}

export interface KernelPushFlags extends KernelFlags {
  compression: 'zstd' | 'gzip';
}

export async function buildKernelOf(session: Session, flags: KernelFlags): Promise<undefined> {
  const { loadProfile } = await import('../../../hardware-profiles/index.ts');
  const profile = await loadProfile(flags.profile);
  const progress = await session.output.progress();
  try {
    const kernel = await buildKernel(session, profile, progress, flags.preset);
    const { size } = await stat(kernel.vmlinux);
    session.output.result({ ...kernel, size, profile: profile.name }, () => `${kernel.vmlinux} (${formatBytes(size)})`);
  } finally {
    progress.close();
  }
  return undefined;
}

export async function pushKernel(session: Session, ref: string, flags: KernelPushFlags): Promise<undefined> {
  const [{ loadProfile }, { buildKernelImage }] = await Promise.all([
    import('../../../hardware-profiles/index.ts'),
    import('../../../image-format/build/index.ts'),
  ]);
  const reference = parseReference(ref);
  const name = canonicalName(ref);
  const profile = await loadProfile(flags.profile);
  const store = await session.openStore();
  const progress = await session.output.progress();
  try {
    const kernel = await buildKernel(session, profile, progress, flags.preset);
    const image = await buildKernelImage(kernelFiles(kernel), profile, store, {
      compression: flags.compression,
      signal: session.signal,
    });
    await store.tag(name, image.descriptor);
  } finally {
    progress.close();
  }
  const result = await push(session, store, name, reference, flags);
  session.output.result(result, () => pinnedName(result.name, result.digest));
  return undefined;
}

export async function pullKernel(session: Session, ref: string, flags: KernelFlags): Promise<undefined> {
  const { kernelLayerOf } = await import('../../../image-format/build/index.ts');
  const store = await session.openStore();
  const result = await pull(session, store, parseReference(ref), flags);
  const descriptor = await store.resolve(result.name);
  // An image without a kernel is found out here, not when somebody builds with it.
  if (descriptor !== undefined) await kernelLayerOf(descriptor, store);
  session.output.result(result, () => pinnedName(result.name, result.digest));
  return undefined;
}
