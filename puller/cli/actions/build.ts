// SPDX-License-Identifier: Apache-2.0
import type { Profile } from '../../../hardware-profiles/index.ts';
import type { BuildOptions, BuiltImage, CallsFiles, ExecutionChanges } from '../../../image-format/build/index.ts';
import { type Descriptor, type Digest, layerCompression, parseManifestDocument } from '../../../image-format/index.ts';
import type { ContentStore } from '../../../image-format/layout/index.ts';
import type { Preset } from '../../../kernel-build/index.ts';
import { chosenBase } from '../base.ts';
import { callsFiles } from '../calls.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import { builtKernel, kernelFromImage } from '../kernel.ts';
import { choosePreset } from '../kernel-preset.ts';
import { buildLibc } from '../libc.ts';
import { type ExecutionFlags, executionChanges } from '../options/execution-changes.ts';
import type { AddedFile } from '../options/values.ts';
import { formatBytes } from '../output/bytes.ts';
import type { Progress } from '../output/progress.ts';
import { formatTable } from '../output/table.ts';
import { canonicalName, pinnedName, resolveLocal } from '../references.ts';

export interface BuildFlags extends ExecutionFlags {
  tag: string[];
  app?: string;
  from?: string;
  fromImage?: string;
  rootfs?: string;
  add?: AddedFile[];
  profile?: string[];
  compression?: 'zstd' | 'gzip';
  kernel?: string;
  preset?: Preset;
  calls?: boolean;
  libc?: 'ring0-musl';
  sysroot?: string;
}

interface BuildResult {
  names: string[];
  digest: Digest;
  images: { profile: string; digest: Digest; layers: { role: string; digest: Digest; size: number }[] }[];
}

export async function build(session: Session, args: string[], flags: BuildFlags): Promise<undefined> {
  checkSources(flags);
  const names = flags.tag.map(canonicalName);
  const changes = executionChanges(args, flags);
  const store = await session.openStore();
  const progress = await session.output.progress();
  let result: BuildResult;
  let calls: Awaited<ReturnType<typeof callsFiles>> | undefined;
  try {
    if (flags.from === undefined && flags.calls === true) calls = await callsFiles(session);
    const images =
      flags.from === undefined
        ? await buildFromApp(session, store, progress, flags, changes, calls)
        : await buildFromImage(session, store, flags.from, flags, changes);
    result = await nameImages(store, names, images);
  } finally {
    progress.close();
    await calls?.remove();
  }
  session.output.result(result, () => report(result));
  return undefined;
}

function checkSources({ app, from, fromImage, rootfs, kernel, preset, calls, libc, sysroot }: BuildFlags): void {
  const bases = Object.entries({ from, 'from-image': fromImage, rootfs }).filter(([, value]) => value !== undefined);
  const isOne =
    bases.length === 0 ? app !== undefined : bases.length === 1 && (app === undefined || from === undefined);
  if (!isOne) {
    throw new CliError('USAGE', 'say one of --app FILE, --from REF, --from-image REF and --rootfs PATH', {
      hint: '--app can also be used on top of --from-image or --rootfs; uk build --help shows examples',
    });
  }
  if (kernel !== undefined && preset !== undefined) {
    throw new CliError('USAGE', '--preset is for a kernel that is built: that of --kernel is what it is');
  }
  const [name] = bases[0] ?? [];
  if (name === undefined || from !== undefined) return;
  const [misplaced] = Object.entries({ calls, libc, sysroot }).find(([, value]) => value !== undefined) ?? [];
  if (misplaced !== undefined) {
    throw new CliError('USAGE', `--${misplaced} cannot be used with --${name}: libraries are those that are there`);
  }
}

interface ProfiledImage {
  profile: string;
  image: BuiltImage;
}

async function buildFromApp(
  session: Session,
  store: ContentStore,
  progress: Progress,
  flags: BuildFlags,
  changes: ExecutionChanges,
  calls: CallsFiles | undefined,
): Promise<ProfiledImage[]> {
  const [{ buildImage, buildOnBase }, { loadProfile }] = await Promise.all([
    import('../../../image-format/build/index.ts'),
    import('../../../hardware-profiles/index.ts'),
  ]);
  const profiles: Profile[] = [];
  for (const name of flags.profile ?? [undefined]) profiles.push(await loadProfile(name));
  const compression = flags.compression ?? 'zstd';
  const libc = flags.libc === undefined ? {} : { libc: await buildLibc(session, progress) };
  const base = await chosenBase(session, store, progress, { ...flags, compression });
  const images: ProfiledImage[] = [];
  const choice = flags.kernel === undefined ? choosePreset(flags) : undefined;
  for (const profile of profiles) {
    const kernel =
      flags.kernel === undefined
        ? await builtKernel(session, profile, progress, choice?.preset)
        : await kernelFromImage(session, store, flags.kernel, {
            profile,
            explicit: flags.profile !== undefined,
            compression,
          });
    const piece = progress.piece(`image for ${kernel.profile.name}`, 'steps');
    const request = { adds: flags.add ?? [], profile: kernel.profile, kernel: kernel.source, ...changes };
    const options: BuildOptions = {
      compression,
      ...(flags.sysroot === undefined ? {} : { sysroot: flags.sysroot }),
      signal: session.signal,
      onProgress: ({ phase, layer, files, warning }) => {
        if (warning !== undefined) session.output.note(`uk: warning: ${warning}`);
        piece.update({
          text: [phase, layer, files === undefined ? undefined : `${files} files`].filter(Boolean).join(' '),
        });
      },
    };
    const { app = '' } = flags;
    const image =
      base === undefined
        ? await buildImage({ app, ...request, ...libc, ...(calls === undefined ? {} : { calls }) }, store, options)
        : await buildOnBase({ ...base, ...(app === '' ? {} : { app }), ...request }, store, options);
    piece.done('built');
    images.push({ profile: kernel.profile.name, image });
  }
  // After what may fail: an error is one line alone.
  if (choice?.note !== undefined) session.output.note(choice.note);
  return images;
}

async function buildFromImage(
  session: Session,
  store: ContentStore,
  from: string,
  flags: BuildFlags,
  changes: ExecutionChanges,
): Promise<ProfiledImage[]> {
  const { rebuildConfig, validateImage } = await import('../../../image-format/build/index.ts');
  const replaced = ['profile', 'kernel', 'preset', 'calls', 'libc', 'sysroot'].find(
    (name) => flags[name as keyof BuildFlags] !== undefined,
  );
  const misplaced = flags.add?.find(({ layer, source }) => layer !== 'config' && source !== '');
  if (replaced !== undefined) throw new CliError('USAGE', `--${replaced} cannot be changed with --from`);
  if (misplaced !== undefined) {
    throw new CliError(
      'USAGE',
      `--from replaces the config layer only: ${misplaced.source} would go into ${misplaced.layer}`,
      {
        hint: `write --add ${misplaced.source}:${misplaced.destination}:config`,
      },
    );
  }
  const { descriptor } = await resolveLocal(store, from);
  const images: ProfiledImage[] = [];
  for (const manifest of await manifestsOf(store, descriptor)) {
    const { profile, layers } = await validateImage(store, manifest);
    const compression = flags.compression ?? layerCompression(layers.at(-1)?.descriptor.mediaType ?? '');
    const image = await rebuildConfig(manifest, { ...changes, adds: flags.add ?? [] }, store, {
      compression: compression === 'gzip' ? 'gzip' : 'zstd',
      signal: session.signal,
    });
    images.push({ profile, image });
  }
  return images;
}

/** An index's images, all of them: what comes out is for the same profiles as what went in. */
async function manifestsOf(store: ContentStore, named: Descriptor): Promise<Descriptor[]> {
  const document = parseManifestDocument(await store.read(named.digest), named.mediaType);
  return document.kind === 'index' ? document.value.manifests : [named];
}

async function nameImages(store: ContentStore, names: string[], images: ProfiledImage[]): Promise<BuildResult> {
  const { buildIndex } = await import('../../../image-format/build/index.ts');
  const descriptors = images.map(({ image }) => image.descriptor);
  const [first, ...others] = descriptors;
  if (first === undefined) throw new CliError('USAGE', 'no profile was named');
  const descriptor = others.length === 0 ? first : await buildIndex(descriptors, store);
  for (const name of names) await store.tag(name, descriptor);
  return {
    names,
    digest: descriptor.digest,
    images: images.map(({ profile, image }) => ({
      profile,
      digest: image.descriptor.digest,
      layers: image.layers.map(({ descriptor: { digest, size, annotations } }) => ({
        role: annotations?.['vnd.uk.layer.role'] ?? '',
        digest,
        size,
      })),
    })),
  };
}

function report({ names, digest, images }: BuildResult): string {
  const layers = images.flatMap(({ profile, layers }) =>
    layers.map((layer) => [profile, layer.role, formatBytes(layer.size), layer.digest]),
  );
  return [
    formatTable(['PROFILE', 'LAYER', 'SIZE', 'DIGEST'], layers),
    ...names.map((name) => pinnedName(name, digest)),
  ].join('\n');
}
