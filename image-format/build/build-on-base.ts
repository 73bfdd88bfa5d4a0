// SPDX-License-Identifier: Apache-2.0
import type { LayerRole } from '../annotations.ts';
import type { ExecutionConfig } from '../image-config.ts';
import { writeLayer } from '../layers/index.ts';
import type { ContentStore } from '../layout/store.ts';
import { layerMediaType } from '../media-types.ts';
import { placementOn, planBaseFolders, planOnBase } from './base/plan-on-base.ts';
import { readBase } from './base/read-base.ts';
import { requestedKernel } from './kernel/kernel-layer.ts';
import type { RoledLayer } from './manifest/container-image.ts';
import { changeExecution } from './manifest/execution.ts';
import { sourceDateEpoch } from './manifest/source-date.ts';
import { isUruncAnnotation, URUNC_FILE, uruncAnnotations, uruncFile } from './manifest/urunc.ts';
import { writeManifest } from './manifest/write-manifest.ts';
import { folder, rootFile } from './places/own-entries.ts';
import { Plan } from './places/plan.ts';
import type { BuildOptions, BuiltImage, StackedRequest } from './request.ts';

/**
 * Makes an image on the layers of another image, which go into it byte for byte: a kernel layer comes before them, what
 * is added above them, a config layer last. The layers are read once, to check them and to see what the base has.
 *
 * @throws ImageError as `buildImage`, and for a base that lies `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `LAYER_INVALID`,
 *   `COMPRESSION_INVALID`
 */
export async function buildOnBase(
  request: StackedRequest,
  store: ContentStore,
  options: BuildOptions = {},
): Promise<BuiltImage> {
  const { profile } = request;
  const { compression = 'zstd', signal, onProgress = () => {} } = options;
  const created = sourceDateEpoch(options.sourceDateEpoch);
  const written = { compression, mtime: created ?? 0, ...(signal === undefined ? {} : { signal }) };
  onProgress({ phase: 'closure' });
  const base = await readBase(store, request.base, signal);
  const plan = new Plan();
  planBaseFolders(plan, base);
  const env = [...(request.env ?? []), ...(request.execution.Env ?? [])];
  const path = await planOnBase(plan, base, request, env, (warning) => onProgress({ phase: 'closure', warning }));
  const execution = changeExecution(executionOf(request.execution, path), request);
  const urunc = uruncAnnotations(profile.monitor, execution);
  plan.add({ entry: rootFile(URUNC_FILE, uruncFile(urunc)), role: 'config', origin: 'the file for urunc' });
  const own = placementOn(base).entry('etc/uk', 'directory');
  if (base.tree.get(own) === undefined) plan.addDefault({ entry: folder(own), role: 'config', origin: 'uk' });

  onProgress({ phase: 'layer', layer: 'kernel' });
  const kernel = await requestedKernel(request.kernel, profile, store, written);
  const layers: RoledLayer[] = [{ role: 'kernel', ...kernel.layer }];
  for (const { descriptor, diffId } of request.base) layers.push({ role: 'deps', descriptor, diffId });
  for (const role of ['deps', 'app', 'config'] as const satisfies LayerRole[]) {
    signal?.throwIfAborted();
    const entries = plan.layer(role);
    if (entries.length === 0 && role !== 'config') continue;
    onProgress({ phase: 'layer', layer: role });
    const { diffId, digest, size } = await writeLayer(entries, store, written);
    layers.push({ role, descriptor: { mediaType: layerMediaType(compression), digest, size }, diffId });
    onProgress({ phase: 'layer', layer: role, size });
  }
  onProgress({ phase: 'manifest' });
  return await writeManifest(store, {
    layers,
    stacked: true,
    execution: { ...execution, Labels: { ...execution.Labels, ...urunc } },
    profile: profile.name,
    kernelVariant: kernel.variant,
    annotations: urunc,
    created,
  });
}

/** Arguments that the base has are for the base's program, not for another one. */
function executionOf({ Labels, ...base }: ExecutionConfig, path: string | undefined): ExecutionConfig {
  const labels = Object.entries(Labels ?? {}).filter(([name]) => !isUruncAnnotation(name));
  const kept = { ...base, Labels: Object.fromEntries(labels) };
  return path === undefined ? kept : { ...kept, Entrypoint: [path], Cmd: null };
}
