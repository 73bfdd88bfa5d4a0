// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { KernelError } from './errors.ts';

export interface Patch {
  readonly name: string;
  readonly path: string;
}

/** The patches in the order in which they apply: `series`, a name a line, `#` comments. */
export async function readSeries(folder: string): Promise<Patch[]> {
  const series = await readFile(join(folder, 'series'), 'utf8');
  return series
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((name) => ({ name, path: join(folder, name) }));
}

/**
 * Applies one patch. Lines around it may have moved or changed a little since the series was written, as point releases
 * do: `patch` allows for two lines of context (its default), and what it then gets wrong does not compile.
 *
 * @param tree the source
 * @param target what it is the source of, for an error
 * @returns what `patch` had to allow for, empty if nothing
 * @throws KernelError `PATCH_FAILED`
 */
export async function applyPatch(
  tree: string,
  patch: Patch,
  options: { signal?: AbortSignal | undefined; target?: { name: string; versions: string } } = {},
): Promise<string[]> {
  const { name, versions } = options.target ?? { name: 'kernel', versions: '6.12.y' };
  const lines: string[] = [];
  try {
    await runCommand('patch', ['-p1', '--batch', '--forward', '--no-backup-if-mismatch', '-i', patch.path], {
      cwd: tree,
      signal: options.signal,
      onLine: (line) => lines.push(line),
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new KernelError('PATCH_FAILED', `patch ${patch.name} does not apply to this ${name} source`, {
      cause,
      hint: `the series is for ${versions}; a release that moved this code needs a newer uk`,
    });
  }
  return lines.filter((line) => / with fuzz /.test(line));
}
