// SPDX-License-Identifier: Apache-2.0
// What a program in a guest sees of random layers is what it sees of the same layers, unpacked by umoci.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportLayout, openContentStore } from '../../image-format/layout/index.ts';
import { assemble, type Bootable, type PullerError } from '../../puller/index.ts';
import { type TarEntry, tarOf } from '../../puller/root/testing.ts';
import { runGuest } from '../guest/guest.ts';
import { generalKernel, writeImage } from './image.ts';
import { differences, guestLines, referenceLines } from './listing.ts';
import { compileProgram } from './programs.ts';
import { layerStacks } from './random-layers.ts';

/** More of them: `UK_TEST_ROOT_RUNS=500`; other ones: `UK_TEST_ROOT_SEED=N`. */
const RUNS = Number(process.env.UK_TEST_ROOT_RUNS ?? 25);
const SEED = Number(process.env.UK_TEST_ROOT_SEED ?? 20_261_130);

/** What a guest has beside its image. */
const GUEST = ['proc', 'sys', 'dev', 't'];

let folder: string;
let listTree: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-guest-view-'));
  listTree = await compileProgram('list-tree', folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const skip =
  process.getuid?.() !== 0
    ? ' (skipped: only root can unpack owners and devices)'
    : spawnSync('umoci', ['--version']).status !== 0
      ? ' (skipped: umoci is not installed)'
      : '';

/** What happened to a stack of layers; `refused` says why. */
type Seen = { refused: string } | { listing: string };

/** The same image, unpacked by umoci. */
async function byUmoci(layout: string, where: string): Promise<Seen> {
  const rootfs = join(where, 'rootfs');
  const { status, stderr } = spawnSync('umoci', ['raw', 'unpack', '--image', layout, rootfs], { encoding: 'latin1' });
  if (status !== 0) return { refused: stderr };
  return { listing: execFileSync(listTree, [rootfs], { encoding: 'latin1', maxBuffer: 2 ** 26 }) };
}

async function byGuest(bootable: Bootable): Promise<string> {
  const { stdout, stderr, outcome } = await runGuest({ bootable }, '/t/list-tree', ['/', ...GUEST], {
    mounts: [{ kind: 'folder', folder: dirname(listTree), path: '/t', readOnly: true }],
  });
  expect({ said: stderr.toString(), status: outcome.status }).toEqual({ said: '', status: 0 });
  return stdout.toString();
}

/**
 * Whiteouts remove what lower layers have, wherever they stand in their own (image-spec layer.md, "Whiteouts": they "MUST
 * only apply to resources in lower/parent layers"). umoci needs them before the rest, uk does not.
 */
function whiteoutsFirst(layer: readonly TarEntry[]): TarEntry[] {
  const isWhiteout = ({ path }: TarEntry) => path.slice(path.lastIndexOf('/') + 1).startsWith('.wh.');
  return [...layer.filter(isWhiteout), ...layer.filter((entry) => !isWhiteout(entry))];
}

/** What differs between the two views; undefined where both refuse the layers. */
async function compare(stack: readonly TarEntry[][], where: string): Promise<string[] | undefined> {
  const store = await openContentStore(join(where, 'store'));
  await store.tag('layers:1', await writeImage(store, stack.map(whiteoutsFirst).map(tarOf)));
  await exportLayout(store, 'layers:1', join(where, 'layout'));
  const started = Math.floor(Date.now() / 1000);
  const reference = await byUmoci(`${join(where, 'layout')}:1`, where);
  const image = await writeImage(store, stack.map(tarOf));
  let bootable: Bootable;
  try {
    bootable = await assemble(store, image, { cacheDir: join(where, 'cache'), kernel: generalKernel });
  } catch (error) {
    if ((error as PullerError).code !== 'IMAGE_UNSUPPORTED') throw error;
    return 'refused' in reference ? undefined : [`+ ${(error as Error).message}`];
  }
  if ('refused' in reference) return [`- ${reference.refused}`];
  const wanted = referenceLines(reference.listing, started);
  return differences(wanted, guestLines(await byGuest(bootable), wanted));
}

/** A stack as one reads it: a line for each entry. */
function show(stack: readonly TarEntry[][]): string {
  const short = (text: string) => (text.length > 60 ? `${text.slice(0, 20)}… (${text.length})` : text);
  const entry = (one: TarEntry) =>
    JSON.stringify(one, (_key, value) => (typeof value === 'string' ? short(value) : value));
  return stack.map((layer, number) => [`layer ${number}`, ...layer.map(entry)].join('\n  ')).join('\n');
}

describe.skipIf(skip !== '')(`a guest's view of its root${skip}`, () => {
  test('is what umoci unpacks', async () => {
    let booted = 0;
    const result = await fc.check(
      fc.asyncProperty(layerStacks, async (stack) => {
        const where = await mkdtemp(join(folder, 'stack-'));
        try {
          const found = await compare(stack, where);
          // Counted are only layers that can be unpacked.
          fc.pre(found !== undefined);
          booted++;
          if (found.length > 0) throw new Error(found.join('\n'));
        } finally {
          await rm(where, { recursive: true });
        }
      }),
      { numRuns: RUNS, seed: SEED, maxSkipsPerRun: 100 },
    );
    console.log(`guest-view: seed ${SEED}, ${booted} stacks of layers booted, ${result.numSkips} refused by both`);
    if (!result.failed) return;
    const [stack] = result.counterexample ?? [[]];
    const why = result.errorInstance instanceof Error ? result.errorInstance.message : 'too many were refused';
    throw new Error(`seed ${result.seed}, path ${result.counterexamplePath}\n${why}\n${show(stack)}`);
  }, 7_200_000);
});
