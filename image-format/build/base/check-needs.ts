// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { ClosureRoot, Missing } from '../needs/closure.ts';
import { parseLdSoCache } from '../needs/ld-so-cache.ts';
import { GLIBC_DEFAULTS, isMuslOwn, MUSL_DEFAULTS } from '../needs/search-paths.ts';
import type { Base } from './read-base.ts';

/** What a program finds at run time: the base image, and above it what is added. */
export interface Surroundings {
  base: Base;
  /** Whether a file is added at that path, as a layer writes it. */
  added: (path: string) => boolean;
  /** Variables of the program. */
  env: readonly string[];
}

/**
 * The interpreter and the libraries of a program that are neither in the base image nor added. Libraries of libraries
 * that the base has are the base's concern.
 */
export function unmetNeeds({ host, image, elf }: ClosureRoot, around: Surroundings): Missing[] {
  const missing: Missing[] = [];
  if (elf.interpreter !== undefined && !exists(elf.interpreter, around)) {
    missing.push({ name: elf.interpreter, neededBy: host });
  }
  const musl = posix.basename(elf.interpreter ?? '').startsWith('ld-musl-');
  const folders = searched(image, elf, musl, around);
  const cached = new Map(musl ? [] : parseCache(around).map(({ name, path }) => [name, path]));
  for (const name of elf.needed) {
    if (musl && isMuslOwn(name)) continue;
    const candidates = name.includes('/') ? [name] : folders.map((folder) => posix.join(folder, name));
    const known = cached.get(name);
    if (known !== undefined) candidates.push(known);
    if (!candidates.some((path) => exists(path, around))) missing.push({ name, neededBy: host });
  }
  return missing;
}

/** Whether a file stands at an absolute path. */
export function exists(path: string, { base, added }: Surroundings): boolean {
  const type = base.tree.follow(path)?.type;
  return type === 'file' || type === 'hardlink' || added(base.tree.place(path, false));
}

function searched(image: string, elf: ClosureRoot['elf'], musl: boolean, { base, env }: Surroundings): string[] {
  const own = [...elf.rpath, ...elf.runpath].flatMap((path) => {
    const text = path
      .replace(/\$(?:ORIGIN\b|\{ORIGIN\})/g, () => posix.dirname(image))
      .replace(/\$(?:PLATFORM\b|\{PLATFORM\})/g, 'x86_64');
    // What `$LIB` stands for differs between distributions.
    return ['lib/x86_64-linux-gnu', 'lib64', 'lib'].map((lib) => text.replace(/\$(?:LIB\b|\{LIB\})/g, lib));
  });
  const variable = env.find((entry) => entry.startsWith('LD_LIBRARY_PATH='))?.slice('LD_LIBRARY_PATH='.length) ?? '';
  const text = (path: string) => base.contents.get(path)?.toString('utf8');
  const system = musl
    ? (text('etc/ld-musl-x86_64.path')?.split(/[:\n]/) ?? MUSL_DEFAULTS)
    : [...GLIBC_DEFAULTS, ...configured(base)];
  return [...own, ...variable.split(/[:;]/), ...system].filter((folder) => folder.startsWith('/'));
}

/** The folders of `/etc/ld.so.conf` and of all that it may include. */
function configured({ contents }: Base): string[] {
  return [...contents]
    .filter(([path]) => path.startsWith('etc/ld.so.conf'))
    .flatMap(([, bytes]) => bytes.toString('utf8').split('\n'))
    .map((line) => line.replace(/#.*/, '').trim());
}

function parseCache({ base }: Surroundings) {
  return parseLdSoCache(base.contents.get('etc/ld.so.cache') ?? Buffer.alloc(0));
}
