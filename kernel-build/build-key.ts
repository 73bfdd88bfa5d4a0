// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '../image-format/index.ts';
import { type Fragment, formatSettings, mergeFragments } from './fragments.ts';
import { GUEST_CONTRACT, initSources } from './guest-init.ts';
import type { LibcInputs } from './libc/libc-inputs.ts';
import type { Patch } from './patch-series.ts';
import type { Toolchain } from './toolchain.ts';

/** Raised when the builder makes other bytes of the same inputs. */
const BUILDER_VERSION = 3;

/** Digests and names of all that a kernel is made of; as `sources` in `kernel.json`. */
export interface BuildInputs extends Toolchain {
  readonly linux: Digest;
  readonly patches: Digest;
  /** Of the settings that the fragments come to, so that a comment in a fragment rebuilds nothing. */
  readonly fragments: Digest;
  readonly init: Digest;
  readonly guestContract: number;
  readonly builder: number;
}

/** One digest of several files: of their names and bytes, in the order given. */
export async function digestOfFiles(folder: string, names: readonly string[]): Promise<Digest> {
  const hash = createHash('sha256');
  for (const name of names) {
    const bytes = await readFile(join(folder, name));
    hash.update(`${name.length}:${name}${bytes.length}:`).update(bytes);
  }
  return `sha256:${hash.digest('hex')}`;
}

export async function collectInputs(from: {
  linux: Digest;
  patches: readonly Patch[];
  patchFolder: string;
  fragments: readonly Fragment[];
  initFolder: string;
  toolchain: Toolchain;
}): Promise<BuildInputs> {
  const [patches, init] = await Promise.all([
    digestOfFiles(
      from.patchFolder,
      from.patches.map(({ name }) => name),
    ),
    initSources(from.initFolder).then((names) => digestOfFiles(from.initFolder, names)),
  ]);
  const fragments = digestOf(formatSettings(mergeFragments(from.fragments)));
  return {
    linux: from.linux,
    patches,
    fragments,
    init,
    ...from.toolchain,
    guestContract: GUEST_CONTRACT,
    builder: BUILDER_VERSION,
  };
}

/**
 * The key of a kernel or a libc in the cache: the same inputs, the same key.
 *
 * @param name the kernel's variant, or the libc's name; it goes in too, as it stands in the description
 */
export function buildKey(name: string, inputs: Readonly<BuildInputs | LibcInputs>): Digest {
  const sorted = Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return digestOf(JSON.stringify([name, sorted]));
}
