// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Digest, digestOf } from '../../image-format/index.ts';
import type { BuildCache } from '../build-cache.ts';
import { CommandError, plainEnvironment, runCommand } from '../command.ts';
import { KernelError } from '../errors.ts';
import { writeAptConfig } from './apt-sources.ts';

/** The distribution's source package. */
const SOURCE_PACKAGE = 'musl';

export interface MuslSource {
  /** Path of its description, `musl_1.2.3-1.dsc`; the archives that it names stand beside it. */
  readonly dsc: string;
  /** With the distribution's revision: `1.2.3-1`. */
  readonly version: string;
  readonly digest: Digest;
}

interface SourceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Ask the distribution, also where a source is there from before. */
  readonly fresh?: boolean | undefined;
  /** Called before the distribution is asked. */
  readonly onFetch?: (() => void) | undefined;
}

/**
 * The source of musl: `$UK_MUSL_SOURCE` (a `.dsc`), else what the cache has from before, else what apt gives, verified
 * by it as any package of this system.
 *
 * @throws KernelError `SOURCE_UNAVAILABLE`, `CACHE_IO`; the signal's reason
 */
export async function muslSource(cache: BuildCache, options: SourceOptions = {}): Promise<MuslSource> {
  const given = process.env.UK_MUSL_SOURCE;
  if (given !== undefined && given !== '') return readSource(resolve(given));
  const key = digestOf(`the source package ${SOURCE_PACKAGE}`);
  const folder = cache.pathOf(key);
  const ensure = async () => {
    options.onFetch?.();
    await cache.ensure(key, (result, scratch) => fetchSource(result, join(scratch, 'apt'), options.signal), options);
  };
  if (!(await cache.has(key))) await ensure();
  else if (options.fresh === true) await replaceFolder(folder, ensure);
  const dsc = (await readdir(folder)).find((name) => name.endsWith('.dsc')) ?? 'nothing.dsc';
  return readSource(join(folder, dsc));
}

/** Where there is nothing new to be had, the old is as good as it was. */
async function replaceFolder(folder: string, ensure: () => Promise<void>): Promise<void> {
  const old = `${folder}.old`;
  await rm(old, { recursive: true, force: true });
  await rename(folder, old);
  try {
    await ensure();
  } catch (error) {
    await rename(old, folder);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

async function readSource(dsc: string): Promise<MuslSource> {
  const isFile = await stat(dsc).then(
    (found) => found.isFile(),
    () => false,
  );
  const text = isFile ? await readFile(dsc, 'utf8') : '';
  const version = sourceVersion(text);
  if (version === undefined) {
    throw new KernelError('SOURCE_UNAVAILABLE', `not a description of musl's source: ${dsc}`, {
      hint: 'UK_MUSL_SOURCE is the path of a .dsc file, with the archives that it names beside it',
    });
  }
  return { dsc, version, digest: digestOf(text) };
}

/** The version in a `.dsc` of musl. @see deb-src-control(5), dsc(5) */
export function sourceVersion(dsc: string): string | undefined {
  if (!/^Source: musl$/m.test(dsc)) return undefined;
  return /^Version: ([A-Za-z0-9.+~:-]+)$/m.exec(dsc)?.[1];
}

async function fetchSource(folder: string, scratch: string, signal: AbortSignal | undefined): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const config = await writeAptConfig(scratch);
  const options = { env: { ...plainEnvironment(), ...proxies() }, signal, cwd: folder };
  const apt = (...args: string[]) => runCommand('apt-get', ['-q', '-c', config, ...args], { ...options, onLine() {} });
  try {
    // A source of others that has no source packages makes this fail; whether ours was among the rest shows below.
    const updated = await apt('update').catch((error: unknown) => error);
    signal?.throwIfAborted();
    await apt('source', '--download-only', SOURCE_PACKAGE).catch((error: unknown) => {
      throw updated instanceof Error ? updated : error;
    });
  } catch (cause) {
    signal?.throwIfAborted();
    const lines = cause instanceof CommandError ? cause.tail : [];
    const reason = lines.find((line) => line.startsWith('E:')) ?? (cause as Error).message;
    throw new KernelError('SOURCE_UNAVAILABLE', `apt does not give the source of ${SOURCE_PACKAGE}: ${reason}`, {
      cause,
      hint: 'is the network there? or fetch it elsewhere with apt-get source --download-only, and set UK_MUSL_SOURCE to its .dsc',
    });
  }
}

/** How this machine reaches others, which is no part of what is built. */
function proxies(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * Unpacks the source with the distribution's own changes. The archives are checked against what the description says.
 *
 * @param tree a folder that is not there yet
 */
export async function unpackMusl(source: MuslSource, tree: string, signal?: AbortSignal): Promise<void> {
  const args = ['-x', basename(source.dsc), tree];
  await runCommand('dpkg-source', args, { cwd: dirname(source.dsc), signal });
}
