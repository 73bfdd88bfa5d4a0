// SPDX-License-Identifier: Apache-2.0
import { posix, resolve } from 'node:path';
import { LABEL } from '../annotations.ts';
import { writeLayer } from '../layers/index.ts';
import type { ContentStore } from '../layout/store.ts';
import { layerMediaType } from '../media-types.ts';
import { KERNEL_PATHS, requestedKernel } from './kernel/kernel-layer.ts';
import type { RoledLayer } from './manifest/container-image.ts';
import { changeExecution } from './manifest/execution.ts';
import { sourceDateEpoch } from './manifest/source-date.ts';
import { URUNC_FILE, uruncAnnotations, uruncFile } from './manifest/urunc.ts';
import { writeManifest } from './manifest/write-manifest.ts';
import { Closure, refuseMissing } from './needs/closure.ts';
import { formatLdSoCache } from './needs/ld-so-cache.ts';
import { planAdds } from './places/add-files.ts';
import { folder, rootFile } from './places/own-entries.ts';
import { Plan } from './places/plan.ts';
import { planCalls } from './places/plan-calls.ts';
import { planLibc } from './places/plan-libc.ts';
import { planProgram } from './places/program.ts';
import { skeleton } from './places/skeleton.ts';
import type { BuildOptions, BuildRequest, BuiltImage } from './request.ts';

/**
 * Makes an image of an application of this machine: its layers, config and manifest are in the store afterwards. The
 * caller gives it a name.
 *
 * @throws ImageError `ELF_INVALID`, `LIBRARY_MISSING`, `LIBC_MISMATCH`, `SOURCE_INVALID`, `PATH_CONFLICT`, `CONFIG_INVALID`, `STORE_IO`
 */
export async function buildImage(
  request: BuildRequest,
  store: ContentStore,
  options: BuildOptions = {},
): Promise<BuiltImage> {
  const { profile, kernel } = request;
  const { compression = 'zstd', signal, onProgress = () => {} } = options;
  const created = sourceDateEpoch(options.sourceDateEpoch);
  const written = { compression, mtime: created ?? 0, ...(signal === undefined ? {} : { signal }) };
  const { plan, path } = await planImage(request, options);
  const execution = changeExecution({ Entrypoint: [path] }, request);
  const urunc = uruncAnnotations(profile.monitor, execution);
  plan.add({ entry: rootFile(URUNC_FILE, uruncFile(urunc)), role: 'config', origin: 'the file for urunc' });

  onProgress({ phase: 'layer', layer: 'kernel' });
  const { layer: kernelLayer, variant } = await requestedKernel(kernel, profile, store, written);
  const layers: RoledLayer[] = [{ role: 'kernel', ...kernelLayer }];
  for (const role of ['deps', 'app', 'config'] as const) {
    signal?.throwIfAborted();
    onProgress({ phase: 'layer', layer: role });
    const { diffId, digest, size } = await writeLayer(plan.layer(role), store, written);
    layers.push({ role, descriptor: { mediaType: layerMediaType(compression), digest, size }, diffId });
    onProgress({ phase: 'layer', layer: role, size });
  }
  onProgress({ phase: 'manifest' });
  return await writeManifest(store, {
    layers,
    execution: { ...execution, Labels: { ...execution.Labels, ...urunc, ...libcLabel(request) } },
    profile: profile.name,
    kernelVariant: variant,
    annotations: urunc,
    created,
  });
}

/** A label, as those survive tools that drop annotations, and `rebuildConfig`. */
function libcLabel({ libc }: BuildRequest): Record<string, string> {
  return libc === undefined ? {} : { [LABEL.libc]: libc.name };
}

/** What stands where in the layers besides the kernel's. */
async function planImage(request: BuildRequest, options: BuildOptions): Promise<{ plan: Plan; path: string }> {
  const { onProgress = () => {}, signal } = options;
  const sysroot = resolve(options.sysroot ?? '/');
  const plan = new Plan();
  const kernel = { role: 'kernel', origin: 'the kernel', fixed: true } as const;
  for (const path of KERNEL_PATHS) {
    plan.add({ entry: folder(posix.dirname(path)), ...kernel });
    plan.add({ entry: rootFile(path, Buffer.alloc(0)), ...kernel });
  }
  onProgress({ phase: 'closure' });
  const added = await planAdds(plan, request.adds ?? []);
  const program = await planProgram(plan, request.app, sysroot, request.appPath);
  if (request.libc !== undefined) await planLibc(plan, request.libc, program.roots);
  if (request.calls !== undefined) await planCalls(plan, request.calls, program.roots);
  const closure = await Closure.open(plan, sysroot);
  const missing = [...program.missing];
  for (const root of program.roots) missing.push(...(await closure.add(root)));
  const interpreter = program.roots.at(-1)?.elf.interpreter;
  for (const { named, ...root } of added) {
    signal?.throwIfAborted();
    const unmet = await closure.add(root, interpreter);
    // What is deep in a folder may be a plug-in that nobody uses; what was named is wanted.
    if (named) missing.push(...unmet);
    else
      for (const { name, neededBy } of unmet)
        onProgress({ phase: 'closure', warning: `${neededBy}: ${name} not found` });
  }
  refuseMissing(missing);
  for (const entry of skeleton()) plan.addDefault({ entry, role: 'deps', origin: 'the skeleton' });
  if (closure.system.size > 0) {
    const bytes = formatLdSoCache([...closure.system.values()]);
    plan.addDefault({ entry: rootFile('etc/ld.so.cache', bytes), role: 'deps', origin: 'the list of libraries' });
  }
  // What OCI's config cannot say goes there; the folder is there in any case.
  plan.addDefault({ entry: folder('etc/uk'), role: 'config', origin: 'uk' });
  onProgress({ phase: 'closure', files: closure.system.size });
  return { plan, path: program.path };
}
