// SPDX-License-Identifier: Apache-2.0
// The least memory in which hello says hello.
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { formatReference, parseReference } from '../../../image-format/index.ts';
import { openContentStore } from '../../../image-format/layout/index.ts';
import { assemble, type Bootable, type BootableRoot, startInstance } from '../../../puller/index.ts';
import { root, runUk, uk } from '../../whole/command.ts';
import type { Contestant } from './contestants.ts';
import { runGuest } from './guest.ts';
import { compile, initrdOf } from './programs.ts';
import { type Bench, figure, type Section } from './section.ts';

const GOAL = 24;
const TOO_LITTLE = 4;
/** A guest that has too little memory may hang. */
const PATIENCE_MS = 30_000;

export async function memory({ kernels, folder, say }: Bench): Promise<Section> {
  const { stock, ring3, ring0 } = kernels;
  const program = await compile(join(root, 'test/programs/hello.c'), folder);
  const initrd = await initrdOf(program);
  const env = { UK_STORE: join(folder, 'store-memory') };
  await uk(['build', '-t', 'hello:1', '--app', program], { env });

  const alone = (kernel: Contestant, enough: number): Promise<number> =>
    least(enough, async (mebibytes) => {
      say(`memory: ${kernel.name} in ${mebibytes} MiB`);
      const run = runGuest({ kernel, initrd, memory: mebibytes, marker: 'hello', timeoutMs: PATIENCE_MS });
      return await run.then(
        ({ output }) => !Number.isNaN(output),
        () => false,
      );
    });
  const withDevices = await least(128, async (mebibytes) => {
    say(`memory: uk run -m ${mebibytes}M`);
    const { status, stdout } = await runUk(['run', '-m', `${mebibytes}M`, 'hello:1'], { env, timeoutMs: PATIENCE_MS });
    return status === 0 && stdout.toString().includes('hello');
  });
  const bootable = await bootableOf(env.UK_STORE);
  const needed = await least(128, async (mebibytes) => {
    say(`memory: the machine of uk run in ${mebibytes} MiB`);
    return await saysHello(bootable, mebibytes);
  });
  const rows: [string, number][] = [
    ['the machine of `uk run`: ring 0, the init, ports, network, random numbers', needed],
    ['what `uk run -m` allows for it', withDevices],
    ['ring 0, the program alone', await alone(ring0, 64)],
    ['ring 3, the program alone', await alone(ring3, 64)],
    ...(stock === undefined ? [] : [['stock, the program alone', await alone(stock, 256)] as [string, number]]),
  ];
  return {
    title: 'The least memory',
    how: 'In which a guest with 1 processor says hello, by bisection, MiB. The program alone: as the only file of an initramfs.',
    tables: [{ head: ['', 'MiB'], rows: rows.map(([what, least]) => [what, figure(least)]) }],
    notes: [],
    goals: [
      { what: 'hello in the machine of `uk run`', wanted: GOAL, got: needed, unit: 'MiB' },
      { what: 'hello by `uk run -m`', wanted: GOAL, got: withDevices, unit: 'MiB' },
    ],
  };
}

async function bootableOf(folder: string): Promise<Bootable> {
  const store = await openContentStore(folder);
  const descriptor = await store.resolve(formatReference(parseReference('hello:1')));
  if (descriptor === undefined) throw new Error('the image of hello is not in the store');
  return await assemble(store, descriptor, {});
}

/** As `uk run` does it, but for its check of what an image needs: sizes below nothing pass it. */
async function saysHello(bootable: Bootable, mebibytes: number): Promise<boolean> {
  const stdout = new PassThrough();
  let text = '';
  stdout.on('data', (chunk) => {
    text += String(chunk);
  });
  const root = { ...bootable.root, initrdSize: -(2 ** 30), unpackedSize: 0 } as BootableRoot;
  const instance = await startInstance(
    { ...bootable, root },
    { memory: mebibytes * 1024 ** 2, stdout, stderr: new PassThrough().resume(), bootTimeoutMs: PATIENCE_MS },
  );
  const timer = setTimeout(() => instance.kill(), 2 * PATIENCE_MS);
  const { status } = await instance.outcome.catch(() => ({ status: 1 }));
  clearTimeout(timer);
  return status === 0 && text.includes('hello');
}

/** @param enough what surely works; twice as much is tried where it does not */
async function least(enough: number, works: (mebibytes: number) => Promise<boolean>): Promise<number> {
  let high = enough;
  while (!(await works(high))) {
    high *= 2;
    if (high > 1024) return Number.NaN;
  }
  let low = TOO_LITTLE;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await works(middle)) high = middle;
    else low = middle;
  }
  return high;
}
