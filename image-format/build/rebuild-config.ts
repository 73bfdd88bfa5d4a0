// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { ExecutionConfig } from '../image-config.ts';
import { FileNames, type LayerEntry, readLayer, writeLayer } from '../layers/index.ts';
import type { ContentStore } from '../layout/store.ts';
import { layerCompression, layerMediaType } from '../media-types.ts';
import type { RoledLayer } from './manifest/container-image.ts';
import { changeExecution } from './manifest/execution.ts';
import { sourceDateEpoch } from './manifest/source-date.ts';
import { isUruncAnnotation, URUNC_FILE, uruncAnnotations, uruncFile } from './manifest/urunc.ts';
import { type UnikernelImage, validateImage } from './manifest/validate-image.ts';
import { writeManifest } from './manifest/write-manifest.ts';
import { planAdds } from './places/add-files.ts';
import { folder, rootFile } from './places/own-entries.ts';
import { Plan, type Planned } from './places/plan.ts';
import type { AddedPath, BuildOptions, BuiltImage, ExecutionChanges, Layer } from './request.ts';

/** A config layer is held in memory while it is written anew. */
const MAX_CONFIG_LAYER = 64 * 1024 * 1024;

const HYPERVISOR = 'com.urunc.unikernel.hypervisor';

/**
 * A new image from one that the store holds, with another config: only the config layer, the config and the manifest
 * are written. Files that the old config layer held stay, unless one is added in their place.
 *
 * @param from a manifest of an image of ours
 * @throws ImageError `NOT_FOUND`, `MANIFEST_INVALID`, `CONFIG_INVALID`, `PATH_CONFLICT`, `SOURCE_INVALID`, `STORE_IO`
 */
export async function rebuildConfig(
  from: Descriptor,
  changes: ExecutionChanges & { adds?: readonly AddedPath[] },
  store: ContentStore,
  options: BuildOptions = {},
): Promise<BuiltImage> {
  const image = await validateImage(store, from);
  const config = image.layers.at(-1);
  if (config === undefined) throw new ImageError('MANIFEST_INVALID', `${from.digest} has no layers`);
  const kept = image.layers.slice(0, -1);
  const { compression = 'zstd', signal } = options;
  const created = sourceDateEpoch(options.sourceDateEpoch);
  const execution = changeExecution(ownExecution(image), changes);
  // Tools that copy an image may drop annotations, labels not.
  const monitor = image.manifest.annotations?.[HYPERVISOR] ?? image.config.config?.Labels?.[HYPERVISOR] ?? 'qemu';
  const urunc = uruncAnnotations(monitor, execution);

  const plan = new Plan();
  plan.add({ entry: rootFile(URUNC_FILE, uruncFile(urunc)), role: 'config', origin: 'the file for urunc' });
  const old = await oldEntries(store, config);
  const adds = changes.adds ?? [];
  if (adds.length > 0) await planKept(plan, store, kept, old);
  await planAdds(plan, adds);
  for (const entry of remaining(old, plan)) plan.addDefault({ entry, role: 'config', origin: 'the old config' });
  plan.addDefault({ entry: folder('etc/uk'), role: 'config', origin: 'uk' });
  // They are not written, but what stands in them must not come to stand below something that was added.
  for (const { role } of kept) plan.layer(role);

  const { diffId, digest, size } = await writeLayer(plan.layer('config'), store, {
    compression,
    mtime: created ?? 0,
    ...(signal === undefined ? {} : { signal }),
  });
  const rebuilt: Layer = { descriptor: { mediaType: layerMediaType(compression), digest, size }, diffId };
  return await writeManifest(store, {
    layers: [...kept, { ...rebuilt, role: 'config' }],
    stacked: image.stacked,
    execution: { ...execution, Labels: { ...execution.Labels, ...urunc } },
    profile: image.profile,
    kernelVariant: image.kernelVariant,
    annotations: urunc,
    created,
  });
}

/** The execution config without the labels that are written anew. */
function ownExecution({ config }: UnikernelImage): ExecutionConfig {
  const { Labels, ...rest } = config.config ?? {};
  const own = Object.entries(Labels ?? {}).filter(([name]) => !isUruncAnnotation(name));
  return { ...rest, Labels: Object.fromEntries(own) };
}

/** The old entries without those that are replaced. Where that is one name of a file, its other names keep the content. */
function remaining(old: readonly LayerEntry[], plan: Plan): LayerEntry[] {
  const names = new FileNames();
  for (const entry of old) names.add(entry);
  for (const { path } of old) if (plan.get(path) !== undefined) names.delete(path);
  return names.entries();
}

/** @throws ImageError `LAYER_INVALID` for a layer that is too large to be changed */
async function oldEntries(store: ContentStore, layer: Layer): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  let total = 0;
  // What is no content (headers, padding) has as much room again.
  const options = { ...compressionOf(layer), limit: 2 * MAX_CONFIG_LAYER };
  for await (const { content, size, mtime: _, ...header } of readLayer(stream(store, layer), options)) {
    total += size;
    if (total > MAX_CONFIG_LAYER) {
      throw new ImageError(
        'LAYER_INVALID',
        `the config layer ${layer.descriptor.digest} holds more than ${MAX_CONFIG_LAYER} bytes of files`,
        { hint: 'build the image anew; large files belong into the layer app' },
      );
    }
    const pieces: Buffer[] = [];
    for await (const piece of content) pieces.push(Buffer.from(piece));
    entries.push(header.type === 'file' ? { ...header, source: { bytes: Buffer.concat(pieces, size) } } : header);
  }
  return entries;
}

/** What stands where in the layers that stay; of several entries for one path that of the uppermost layer holds. */
async function* keptEntries(store: ContentStore, kept: readonly RoledLayer[]): AsyncGenerator<Planned> {
  for (const layer of kept.toReversed()) {
    const { role } = layer;
    for await (const file of readLayer(stream(store, layer), compressionOf(layer))) {
      const { content: _, size: __, mtime: ___, ...entry } = file;
      yield { entry, role, origin: 'the image that is changed' };
    }
  }
}

/**
 * Plans what the layers that stay hold, so that what is added agrees with their links, files and folders. Where the old
 * config layer has something too, that is what counts.
 */
async function planKept(plan: Plan, store: ContentStore, layers: readonly RoledLayer[], old: readonly LayerEntry[]) {
  const covering = new Map(old.map((entry) => [entry.path, entry]));
  for await (const kept of keptEntries(store, layers)) {
    const above = covering.get(kept.entry.path);
    if (above === undefined) plan.addDefault(kept);
    // A folder of both stays in both; what is no folder may be replaced by what is added.
    else if (above.type === 'directory') plan.addDefault({ ...kept, entry: above, role: 'config' });
  }
}

function stream(store: ContentStore, { descriptor }: Layer) {
  return store.stream(descriptor.digest);
}

function compressionOf({ descriptor }: Layer) {
  return { compression: layerCompression(descriptor.mediaType) ?? 'none' } as const;
}
