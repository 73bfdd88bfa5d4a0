// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { Profile } from '../../hardware-profiles/index.ts';
import type { BuildRequest, KernelFiles } from '../../image-format/build/index.ts';
import { familiarReference, layerCompression, parseReference } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import type { BuiltKernel, KernelProgress, Preset } from '../../kernel-build/index.ts';
import type { Session } from './context.ts';
import { CliError } from './errors.ts';
import type { Piece, Progress } from './output/progress.ts';
import { canonicalName } from './references.ts';
import { pull } from './transfer.ts';

export interface ChosenKernel {
  source: BuildRequest['kernel'];
  /** The profile that the image is for: the kernel's own where the kernel was taken from an image. */
  profile: Profile;
}

/** Builds the kernel of a profile, or takes it from the cache, and shows how far it is. */
export async function buildKernel(
  session: Session,
  profile: Profile,
  progress: Progress,
  preset: Preset = 'small',
): Promise<BuiltKernel> {
  const { kernelFor } = await import('../../kernel-build/index.ts');
  const piece = buildPiece(progress, `kernel ${profile.kernel.variant}${preset === 'small' ? '' : ` ${preset}`}`);
  const kernel = await kernelFor(
    { ...profile.kernel, preset },
    { signal: session.signal, onProgress: piece.onProgress },
  );
  piece.done();
  return kernel;
}

/** Shows how far a build is. What was built before is there at once, and nobody has to be told. */
export function buildPiece(progress: Progress, label: string) {
  let piece: Piece | undefined;
  return {
    // Each phase counts anew; what it does not know must not stay from the one before.
    onProgress: ({ phase, done = 0, total, text }: KernelProgress) => {
      piece ??= progress.piece(label, 'steps');
      piece.update({ done, total, text: [phase, text && basename(text)].filter(Boolean).join(' ') });
    },
    done: () => piece?.done('built'),
  };
}

export async function builtKernel(
  session: Session,
  profile: Profile,
  progress: Progress,
  preset?: Preset,
): Promise<ChosenKernel> {
  return { source: kernelFiles(await buildKernel(session, profile, progress, preset)), profile };
}

export function kernelFiles({ vmlinux, config, kernelJson }: BuiltKernel): KernelFiles {
  return { vmlinux, config, kernelJson };
}

/**
 * Takes the kernel layer of an image, fetched where the store does not hold it: who has a kernel image needs no
 * compiler. The layer says which profile it is for, and so what the new image is for.
 */
export async function kernelFromImage(
  session: Session,
  store: ContentStore,
  text: string,
  wanted: { profile: Profile; explicit: boolean; compression: 'zstd' | 'gzip' },
): Promise<ChosenKernel> {
  const { kernelLayerOf } = await import('../../image-format/build/index.ts');
  const reference = parseReference(text);
  const name = canonicalName(text);
  const which = wanted.explicit ? { profile: wanted.profile.name } : {};
  if ((await store.resolve(name)) === undefined) await pull(session, store, reference, which);
  const descriptor = await store.resolve(name);
  if (descriptor === undefined) throw new CliError('FILE', `${familiarReference(reference)} vanished from the store`);
  const { layer, variant, profile } = await kernelLayerOf(descriptor, store, which);
  if (wanted.explicit && profile.name !== wanted.profile.name) {
    throw new CliError('USAGE', `the kernel of ${text} is for profile ${profile.name}, not ${wanted.profile.name}`, {
      hint: 'leave --profile out, or name a kernel image for that profile',
    });
  }
  // A layer is taken as it is; one that an old tool cannot read would spoil the whole image for it.
  const compression = layerCompression(layer.descriptor.mediaType);
  if (compression !== wanted.compression) {
    throw new CliError('USAGE', `the kernel of ${text} is compressed with ${compression}, not ${wanted.compression}`, {
      hint: `uk build --compression ${compression}, or uk kernel push --compression ${wanted.compression}`,
    });
  }
  return { source: { layer, variant }, profile };
}
