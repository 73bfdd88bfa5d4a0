// SPDX-License-Identifier: Apache-2.0
// The monitor is killed while a guest writes to a volume: the next guest finds all that was synced. And a guest that ends
// by itself leaves a volume that needs no repair.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openContentStore } from '../../image-format/layout/index.ts';
import { assemble, type Bootable, createVolume, startInstance, type Volume } from '../../puller/index.ts';
import { tarOf } from '../../puller/root/testing.ts';
import { Collector, runGuest } from '../guest/guest.ts';
import { generalKernel, writeImage } from './image.ts';
import { compileProgram } from './programs.ts';

/** `npm run test:root` kills fifty times. */
const KILLS = Number(process.env.UK_TEST_KILLS ?? 5);

/** A guest is killed at the latest so long after its program began to write. */
const WRITING_MS = 800;

const MiB = 2 ** 20;
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

let folder: string;
let bootable: Bootable;
let volume: Volume;
let volumes = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-kill-volume-'));
  const program = await readFile(await compileProgram('records', folder), 'latin1');
  const store = await openContentStore(join(folder, 'store'));
  const image = await writeImage(store, [tarOf([{ path: 'records', mode: 0o755, content: program }])]);
  bootable = await assemble(store, image, { cacheDir: join(folder, 'cache'), kernel: generalKernel });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  volume = await createVolume(join(folder, 'volumes'), `data-${++volumes}`, { size: 64 * MiB });
});

function options() {
  return {
    entrypoint: ['/records'],
    mounts: [{ kind: 'disk' as const, file: volume.disk, path: '/data', readOnly: false, populate: true }],
  };
}

/** The numbers of the whole lines that the program has printed. */
function linesOf(text: string): string[] {
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
}

interface Killed {
  /** The next number that the program found; undefined where it was killed before it could look. */
  had: number | undefined;
  /** The last number of a record that was synced. */
  synced: number | undefined;
}

/** Boots a guest that writes, and kills its monitor. @param waitMs from the guest's start, or from its first line on */
async function killedWriter(waitMs: number, fromStart: boolean): Promise<Killed> {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const instance = await startInstance(bootable, { ...options(), args: ['/data'], stdout, stderr });
  if (!fromStart) await Promise.race([stdout.seen('have '), instance.outcome.catch(() => {})]);
  await delay(waitMs);
  try {
    process.kill(instance.machine.pid, 'SIGKILL');
  } catch {
    // It has ended before: with what its program says, or an error that tells more.
    const { status, kernelLog } = await instance.outcome;
    throw new Error(`the guest ended by itself, with status ${status}: ${stderr.text}\n${kernelLog}`);
  }
  const outcome = await instance.outcome.catch(() => undefined);
  expect({ said: stderr.text, status: outcome?.status }).toEqual({ said: '', status: undefined });
  const [first, ...numbers] = linesOf(stdout.text).filter((line) => line !== '');
  const last = numbers.at(-1);
  return {
    had: first === undefined ? undefined : Number(first.replace('have ', '')),
    synced: last === undefined ? undefined : Number(last),
  };
}

/** The guest's journal is replayed in a copy: what it holds must be a file system without a fault. */
function checkCopy(): void {
  const copy = join(folder, 'copy.img');
  execFileSync('cp', ['--sparse=always', volume.disk, copy]);
  const env = { ...process.env, PATH };
  const replayed = spawnSync('e2fsck', ['-E', 'journal_only', '-y', copy], { env });
  expect(replayed.status, String(replayed.stdout)).toBeLessThan(4);
  expectClean(copy);
}

function expectClean(disk: string): void {
  const { status, stdout, stderr } = spawnSync('e2fsck', ['-f', '-n', disk], { env: { ...process.env, PATH } });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

function superblock(): string {
  return execFileSync('dumpe2fs', ['-h', volume.disk], {
    env: { ...process.env, PATH },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
}

test(`a volume keeps all that was synced when the monitor is killed (${KILLS} times)`, async () => {
  let next = 0;
  let written = 0;
  for (let round = 0; round < KILLS; round++) {
    // One in five is killed at any moment: before the mount, while the journal is replayed, at the first write.
    const { had, synced } = await killedWriter(Math.random() * WRITING_MS, round % 5 === 4);
    if (had !== undefined) {
      expect(had, `round ${round}: records that were synced are lost`).toBeGreaterThanOrEqual(next);
      next = had;
    }
    if (synced !== undefined) {
      written += synced + 1 - next;
      next = synced + 1;
    }
    checkCopy();
  }
  console.log(`kill-volume: ${KILLS} kills, ${written} records synced before them`);
  expect(written).toBeGreaterThan(0);
  const { stdout, stderr, outcome } = await runGuest({ bootable }, '/records', ['/data', '10'], options());
  expect({ said: stderr.toString(), status: outcome.status }).toEqual({ said: '', status: 0 });
  expect(Number(/^have (\d+)$/m.exec(stdout.toString())?.[1])).toBeGreaterThanOrEqual(next);
  expectClean(volume.disk);
}, 1_800_000);

test('a guest that ends by itself leaves a clean volume', async () => {
  const { outcome } = await runGuest({ bootable }, '/records', ['/data', '100'], options());
  expect(outcome.status, outcome.kernelLog).toBe(0);
  expect(superblock()).toMatch(/^Filesystem state: +clean$/m);
  expect(superblock()).not.toContain('needs_recovery');
  expectClean(volume.disk);
});

test('so does one that is ended by a signal while it writes', async () => {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const instance = await startInstance(bootable, { ...options(), args: ['/data'], stdout, stderr });
  await stdout.seen('\n20\n');
  instance.signal(15);
  expect((await instance.outcome).status).toBe(128 + 15);
  expect(superblock()).toMatch(/^Filesystem state: +clean$/m);
  expect(superblock()).not.toContain('needs_recovery');
  expectClean(volume.disk);
});
