// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../image-format/index.ts';
import { BuildCache, defaultCacheFolder } from './build-cache.ts';
import { type BuildInputs, buildKey, collectInputs } from './build-key.ts';
import { collectTree, compileTree, configureTree } from './build-tree.ts';
import { KernelError } from './errors.ts';
import { mergeFragments, readFragments, type Settings } from './fragments.ts';
import { compileInit, GUEST_AGENT, GUEST_CONTRACT } from './guest-init.ts';
import { sourceDigest, sourceTarball, unpackSource } from './linux-source.ts';
import { applyPatch, type Patch, readSeries } from './patch-series.ts';
import { CompileProgress, type KernelProgress } from './progress.ts';
import { requireBuildTools } from './requirements.ts';
import { findToolchain } from './toolchain.ts';
import { fragmentsOf, type KernelRequest, type Preset } from './variants.ts';

export interface KernelOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((event: KernelProgress) => void) | undefined;
  /** Where built kernels are kept. Default: `$XDG_CACHE_HOME/uk/kernels`, or `~/.cache/uk/kernels`. */
  cacheDir?: string | undefined;
  /** Compilers at once. Default: as many as there are processors. */
  jobs?: number | undefined;
  /** Folder of the init's C sources. Default: `init/` beside this file. */
  initDir?: string | undefined;
}

/** A kernel in the cache. The paths stay valid as long as nobody empties the cache. */
export interface BuiltKernel {
  /** The ELF to boot: stripped, entered by PVH. */
  readonly vmlinux: string;
  /** Its `.config`. */
  readonly config: string;
  /** A JSON file, a {@link KernelDescription}. */
  readonly kernelJson: string;
  /** The ELF with its symbols, for debuggers. Not part of images. */
  readonly debug: string;
  readonly systemMap: string;
  readonly key: Digest;
  /** It was there before. */
  readonly cached: boolean;
}

/** `/boot/kernel.json` of an image. */
export interface KernelDescription {
  /** Point release, `6.12.117`. */
  readonly version: string;
  readonly variant: string;
  /** Left out for the preset `small`. */
  readonly preset?: Preset;
  readonly fragments: readonly string[];
  /** Version of docs/guest-contract.md that its init speaks. */
  readonly guestContract: number;
  /** Version of the agent in its init. Kernels from before there was one lack it. */
  readonly agent?: number;
  readonly key: Digest;
  readonly sources: BuildInputs;
}

const CONFIG = join(import.meta.dirname, 'config');
const PATCHES = join(import.meta.dirname, 'patches');
const INIT = join(import.meta.dirname, 'init');

interface Plan {
  readonly tarball: string;
  readonly patches: readonly Patch[];
  readonly settings: Settings;
  readonly initDir: string;
  readonly jobs: number;
  readonly signal: AbortSignal | undefined;
  readonly report: (event: KernelProgress) => void;
  readonly cache: BuildCache;
  readonly describe: (version: string) => KernelDescription;
}

/**
 * The kernel for a request: from the cache, or built from the source that Debian installs, the patches in `patches/`,
 * the Kconfig fragments in `config/` and the init in `init/`. The same inputs give the same bytes.
 *
 * @param request a profile's `kernel`
 * @throws KernelError; the signal's reason if it is aborted. Neither leaves anything but the cache as it was.
 */
export async function kernelFor(request: KernelRequest, options: KernelOptions = {}): Promise<BuiltKernel> {
  const { signal, cacheDir = defaultCacheFolder('kernels'), initDir = INIT } = options;
  const report = options.onProgress ?? (() => undefined);
  signal?.throwIfAborted();
  const { preset = 'small' } = request;
  const names = fragmentsOf(request);
  const fragments = await readFragments(CONFIG, names);
  const settings = mergeFragments(fragments);

  const tarball = await sourceTarball();
  const toolchain = await findToolchain(signal).catch(() => undefined);
  if (tarball === undefined || toolchain === undefined) {
    signal?.throwIfAborted();
    await requireBuildTools();
    throw new KernelError('REQUIREMENTS_MISSING', 'the compiler or the kernel source cannot be used');
  }
  await mkdir(cacheDir, { recursive: true }).catch((cause: unknown) => {
    throw new KernelError('CACHE_IO', `the kernel cache cannot be made: ${cacheDir}`, { cause });
  });
  const patches = await readSeries(PATCHES);
  const linux = await sourceDigest(tarball, cacheDir, signal);
  const sources = await collectInputs({
    linux,
    patches,
    patchFolder: PATCHES,
    fragments,
    initFolder: initDir,
    toolchain,
  });
  const key = buildKey(request.variant, sources);
  const cache = new BuildCache(cacheDir);

  const cached = await cache.has(key);
  if (!cached) {
    await requireBuildTools();
    const describe = (version: string): KernelDescription => ({
      version,
      variant: request.variant,
      ...(preset === 'small' ? {} : { preset }),
      fragments: names,
      guestContract: GUEST_CONTRACT,
      agent: GUEST_AGENT,
      key,
      sources,
    });
    const jobs = options.jobs ?? availableParallelism();
    const plan = { tarball, patches, settings, initDir, jobs, signal, report, cache, describe };
    await cache.ensure(key, (result, scratch) => build(plan, result, scratch), {
      signal,
      onWait: () => report({ phase: 'wait', text: 'another process builds this kernel' }),
    });
  }
  const path = (name: string) => join(cache.pathOf(key), name);
  return {
    vmlinux: path('vmlinux'),
    config: path('config'),
    kernelJson: path('kernel.json'),
    debug: path('vmlinux.debug'),
    systemMap: path('System.map'),
    key,
    cached,
  };
}

async function build(plan: Plan, result: string, scratch: string): Promise<void> {
  const { signal, report, patches } = plan;
  const tree = join(scratch, 'linux');
  await mkdir(tree);

  report({ phase: 'unpack', text: plan.tarball });
  const version = await unpackSource(plan.tarball, tree, signal);

  for (const [done, patch] of patches.entries()) {
    report({ phase: 'patch', done, total: patches.length, text: patch.name });
    await applyPatch(tree, patch, { signal });
  }

  report({ phase: 'init' });
  const init = join(scratch, 'init');
  await compileInit(plan.initDir, init, signal);

  report({ phase: 'configure' });
  await configureTree(tree, plan.settings, init, { signal });

  const counter = join(plan.cache.folder, 'compile-steps.txt');
  const before = Number(await readFile(counter, 'utf8').catch(() => ''));
  const progress = new CompileProgress(Number.isSafeInteger(before) ? before : 0, report);
  report({ phase: 'compile', done: 0, ...(before > 0 ? { total: before } : {}) });
  await compileTree(tree, plan.jobs, progress, { signal });
  await writeFile(counter, String(progress.done));

  report({ phase: 'strip' });
  await collectTree(tree, result, { signal });
  await writeFile(join(result, 'kernel.json'), `${JSON.stringify(plan.describe(version), null, 2)}\n`);
}
