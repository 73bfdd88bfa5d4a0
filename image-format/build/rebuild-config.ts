// SPDX-License-Identifier: Apache-2.0
import { LAYER_ROLES } from '../annotations.ts';
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { ExecutionConfig } from '../image-config.ts';
import { type LayerEntry, readLayer, writeLayer } from '../layers/index.ts';
import type { ContentStore } from '../layout/store.ts';
import { layerCompression, layerMediaType } from '../media-types.ts';
import { planAdds } from './add-files.ts';
import { folder, rootFile } from './build-image.ts';
import { changeExecution } from './execution.ts';
import { Plan } from './plan.ts';
import type { AddedPath, BuildOptions, BuiltImage, ExecutionChanges, Layer } from './request.ts';
import { sourceDateEpoch } from './source-date.ts';
import { isUruncAnnotation, URUNC_FILE, uruncAnnotations, uruncFile } from './urunc.ts';
import { type UnikernelImage, validateImage } from './validate-image.ts';
import { writeManifest } from './write-manifest.ts';

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
  const { kernel, deps, app, config } = image.layers;
  const { compression = 'zstd', signal } = options;
  const created = sourceDateEpoch(options.sourceDateEpoch);
  const execution = changeExecution(ownExecution(image), changes);
  const urunc = uruncAnnotations(image.manifest.annotations?.[HYPERVISOR] ?? 'qemu', execution);

  const plan = new Plan();
  plan.add({ entry: rootFile(URUNC_FILE, uruncFile(urunc)), role: 'config', origin: 'the file for urunc' });
  await planAdds(plan, changes.adds ?? []);
  if ((changes.adds ?? []).length > 0) await refuseConflicts(plan, store, [kernel, deps, app]);
  for (const entry of await oldEntries(store, config))
    plan.addDefault({ entry, role: 'config', origin: 'the old config' });
  plan.addDefault({ entry: folder('etc/uk'), role: 'config', origin: 'uk' });

  const { diffId, digest, size } = await writeLayer(plan.layer('config'), store, {
    compression,
    mtime: created ?? 0,
    ...(signal === undefined ? {} : { signal }),
  });
  const rebuilt: Layer = { descriptor: { mediaType: layerMediaType(compression), digest, size }, diffId };
  return await writeManifest(store, {
    layers: [kernel, deps, app, rebuilt].map((layer, i) => ({ ...layer, role: LAYER_ROLES[i] ?? 'config' })),
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

/** What is added must not stand in a layer that stays. */
async function refuseConflicts(plan: Plan, store: ContentStore, layers: Layer[]): Promise<void> {
  for (const [i, layer] of layers.entries()) {
    for await (const { path, type } of readLayer(stream(store, layer), compressionOf(layer))) {
      const planned = plan.get(path);
      if (planned === undefined || (type === 'directory' && planned.entry.type === 'directory')) continue;
      const where = `layer ${LAYER_ROLES[i]}`;
      throw new ImageError('PATH_CONFLICT', `/${path} is in the image already (${where}): ${planned.origin}`, {
        hint: 'build the image anew to replace it',
      });
    }
  }
}

function stream(store: ContentStore, { descriptor }: Layer) {
  return store.stream(descriptor.digest);
}

function compressionOf({ descriptor }: Layer) {
  return { compression: layerCompression(descriptor.mediaType) ?? 'none' } as const;
}
