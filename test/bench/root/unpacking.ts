// SPDX-License-Identifier: Apache-2.0
// The first start: what it costs to unpack, verify and lay out 1 GB, beside `zstd -d | sha256sum` of the same layers.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatReference, parseReference } from '../../../image-format/index.ts';
import { uk } from '../../whole/command.ts';
import type { Images } from './images.ts';
import { median, milliseconds, type Row } from './row.ts';

const ROUNDS = 3;

export async function unpacking(images: Images, folder: string): Promise<Row[]> {
  const { store, big, updated, env } = images;
  const layers = await layersOf(images);
  const [first, shell, update, again]: number[][] = [[], [], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    shell?.push(timed('sh', ['-c', layers.map((path) => `zstd -qdc ${path} | sha256sum >/dev/null`).join(';')]));
    const cache = mkdtempSync(join(folder, 'cache-'));
    first?.push(assembleOnce(store, big, cache));
    again?.push(assembleOnce(store, big, cache));
    update?.push(assembleOnce(store, updated, cache));
    rmSync(cache, { recursive: true });
  }
  const [ours, theirs] = [median(first ?? []), median(shell ?? [])];
  const { size } = JSON.parse(await uk(['inspect', '--json', big], { env })) as { size?: number };
  const what = size === undefined ? '1 GB' : `1 GB (${(size / 1e6).toFixed(0)} MB compressed)`;
  return [
    {
      what: `first assembly of ${what}`,
      ours: milliseconds(ours),
      other: `\`zstd -d \\| sha256sum\` ${milliseconds(theirs)}`,
      ratio: ours / theirs,
      wanted: '≤ 1.3',
    },
    { what: 'second assembly of it, in a new process', ours: milliseconds(median(again ?? [])), wanted: '≤ 100 ms' },
    {
      what: 'assembly after its app layer has changed (20,000 files)',
      ours: milliseconds(median(update ?? [])),
      wanted: '≤ 100 ms',
    },
  ];
}

/** Paths of the layers' blobs, without that of the kernel. */
async function layersOf({ store, big, env }: Images): Promise<string[]> {
  const { layers } = JSON.parse(await uk(['inspect', '--json', big], { env })) as {
    layers: { role: string; digest: string }[];
  };
  return layers
    .filter(({ role }) => role !== 'kernel')
    .map(({ digest }) => join(store, 'blobs', digest.replace(':', '/')));
}

function timed(command: string, args: string[]): number {
  const begin = performance.now();
  execFileSync(command, args);
  return performance.now() - begin;
}

function assembleOnce(store: string, image: string, cache: string): number {
  const script = join(import.meta.dirname, 'assemble-once.ts');
  const name = formatReference(parseReference(image));
  return Number(execFileSync(process.execPath, [script, store, name, cache], { stdio: ['ignore', 'pipe', 'inherit'] }));
}
