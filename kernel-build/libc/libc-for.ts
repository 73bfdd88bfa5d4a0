// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../image-format/index.ts';
import { BuildCache, defaultCacheFolder } from '../build-cache.ts';
import { buildKey, digestOfFiles } from '../build-key.ts';
import { failAs } from '../build-tree.ts';
import { KernelError } from '../errors.ts';
import { applyPatch, readSeries } from '../patch-series.ts';
import type { KernelProgress } from '../progress.ts';
import { requireLibcTools } from '../requirements.ts';
import { findCompiler } from '../toolchain.ts';
import type { LibcInputs } from './libc-inputs.ts';
import { type MuslSource, muslSource, unpackMusl } from './musl-source.ts';
import { collectMusl, compileMusl, LOADER, WRAPPER } from './musl-tree.ts';

/** Raised when the builder makes other bytes of the same inputs. */
const BUILDER_VERSION = 1;

const NAME = 'ring0-musl';
const PATCHES = join(import.meta.dirname, 'patches');
const WRAPPER_FOLDER = join(import.meta.dirname, 'wrapper');

export interface LibcOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((event: KernelProgress) => void) | undefined;
  /** Where built libcs are kept. Default: `$XDG_CACHE_HOME/uk/libc`, or `~/.cache/uk/libc`. */
  cacheDir?: string | undefined;
  /** Compilers at once. Default: as many as there are processors. */
  jobs?: number | undefined;
  /** Ask the distribution for its source again, which may be a newer one. */
  fresh?: boolean | undefined;
}

/** A libc in the cache. The paths stay valid as long as nobody empties the cache. */
export interface BuiltLibc {
  readonly name: typeof NAME;
  /** Holds `bin`, `include` and `lib`. */
  readonly folder: string;
  /** The shared libc, which is the dynamic linker too: `/lib/ld-musl-x86_64.so.1` of an image. */
  readonly loader: string;
  /** For static programs. */
  readonly archive: string;
  /** A compiler that links with it. */
  readonly gcc: string;
  /** A JSON file, a {@link LibcDescription}. */
  readonly libcJson: string;
  readonly key: Digest;
  /** It was there before. */
  readonly cached: boolean;
}

/** `/etc/uk/libc.json` of an image. */
export interface LibcDescription {
  readonly name: typeof NAME;
  /** Of the distribution's source, `1.2.3-1`. */
  readonly version: string;
  readonly key: Digest;
  readonly sources: LibcInputs;
}

/**
 * musl with system calls as function calls: from the cache, or built from the distribution's source and the patches in
 * `patches/`. The same inputs give the same bytes.
 *
 * @throws KernelError; the signal's reason if it is aborted. Neither leaves anything but the cache as it was.
 */
export async function libcFor(options: LibcOptions = {}): Promise<BuiltLibc> {
  const { signal, fresh, cacheDir = defaultCacheFolder('libc') } = options;
  const report = options.onProgress ?? (() => undefined);
  await requireLibcTools();
  await mkdir(cacheDir, { recursive: true }).catch((cause: unknown) => {
    throw new KernelError('CACHE_IO', `the build cache cannot be made: ${cacheDir}`, { cause });
  });
  const cache = new BuildCache(cacheDir);
  const source = await muslSource(cache, { signal, fresh, onFetch: () => report({ phase: 'fetch', text: 'musl' }) });
  const sources = await collectInputs(source, signal);
  const key = buildKey(NAME, sources);
  const cached = await cache.has(key);
  if (!cached) {
    const jobs = options.jobs ?? availableParallelism();
    const description: LibcDescription = { name: NAME, version: source.version, key, sources };
    const build = async (result: string, scratch: string) => {
      await buildMusl(source, result, join(scratch, 'musl'), { signal, report, jobs });
      await writeFile(join(result, 'libc.json'), `${JSON.stringify(description, null, 2)}\n`);
    };
    await cache.ensure(key, build, {
      signal,
      onWait: () => report({ phase: 'wait', text: 'another process builds this libc' }),
    });
  }
  const folder = cache.pathOf(key);
  return {
    name: NAME,
    folder,
    loader: join(folder, 'lib', LOADER),
    archive: join(folder, 'lib', 'libc.a'),
    gcc: join(folder, 'bin', 'ring0-musl-gcc'),
    libcJson: join(folder, 'libc.json'),
    key,
    cached,
  };
}

async function collectInputs(source: MuslSource, signal: AbortSignal | undefined): Promise<LibcInputs> {
  const patches = (await readSeries(PATCHES)).map(({ name }) => name);
  return {
    musl: source.digest,
    patches: await digestOfFiles(PATCHES, patches),
    wrapper: await digestOfFiles(WRAPPER_FOLDER, Object.keys(WRAPPER)),
    ...(await findCompiler(signal)),
    builder: BUILDER_VERSION,
  };
}

async function buildMusl(
  source: MuslSource,
  result: string,
  tree: string,
  how: { signal: AbortSignal | undefined; report: (event: KernelProgress) => void; jobs: number },
): Promise<void> {
  const { signal, report, jobs } = how;
  report({ phase: 'unpack', text: source.dsc });
  await failAs('the source of musl cannot be unpacked', { signal, room: '100 MB' }, () =>
    unpackMusl(source, tree, signal),
  );
  const patches = await readSeries(PATCHES);
  for (const [done, patch] of patches.entries()) {
    report({ phase: 'patch', done, total: patches.length, text: patch.name });
    await applyPatch(tree, patch, { signal, target: { name: 'musl', versions: '1.2.3' } });
  }
  await compileMusl(tree, jobs, report, { signal });
  report({ phase: 'strip' });
  await collectMusl(tree, WRAPPER_FOLDER, result, { signal });
}
