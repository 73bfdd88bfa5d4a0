// SPDX-License-Identifier: Apache-2.0
// What a guest takes of the host's memory, and what it gives back.
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bootable, type Instance, type InstanceOptions, startInstance } from '../../puller/index.ts';
import { buildGuestImage, Collector, type GuestImage } from './guest.ts';

const MEBIBYTE = 1024 ** 2;
let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
});
afterAll(() => image?.[Symbol.asyncDispose]());

/** In MiB. */
async function residentMemory({ machine }: Instance): Promise<number> {
  const text = await readFile(`/proc/${machine.pid}/smaps_rollup`, 'utf8');
  return Number(/^Rss: +([0-9]+) kB$/m.exec(text)?.[1]) / 1024;
}

async function fill(
  mebibytes: number,
  options: Partial<InstanceOptions>,
  bootable: Bootable = image.bootable,
): Promise<{ instance: Instance; stdout: Collector; next(): void }> {
  const stdout = new Collector();
  const instance = await startInstance(bootable, {
    entrypoint: ['/programs/memory'],
    args: [String(mebibytes)],
    stdout,
    stderr: new Collector(),
    ...options,
  });
  await stdout.seen('filled');
  return { instance, stdout, next: () => instance.signal(constants.signals.SIGUSR1) };
}

test('what a program has freed goes back to the host, and nobody asks for it', async () => {
  const { instance, stdout, next } = await fill(128, { memory: 256 * MEBIBYTE });
  const full = await residentMemory(instance);
  expect(full).toBeGreaterThan(128);
  next();
  await stdout.seen('freed');
  await expect.poll(() => residentMemory(instance), { timeout: 60_000, interval: 100 }).toBeLessThan(full - 64);
  next();
  expect((await instance.outcome).status).toBe(0);
});

test('an image whose profile has no balloon runs as ever', async () => {
  const { profile } = image.bootable;
  const devices = profile.devices.filter((device) => device !== 'virtio-balloon');
  const { instance, stdout, next } = await fill(16, {}, { ...image.bootable, profile: { ...profile, devices } });
  await expect(instance.machine.command('info balloon')).resolves.toMatch(/no balloon|not been activated|Error/i);
  next();
  // Two signals of a kind that are both on their way are one.
  await stdout.seen('freed');
  next();
  expect((await instance.outcome).status).toBe(0);
});

test('a guest whose kernel kills a process for want of memory says so', async () => {
  const events: string[] = [];
  const instance = await startInstance(image.bootable, {
    entrypoint: ['/programs/memory'],
    // Less than its memory, or the kernel would refuse at once; more than is free.
    args: ['50'],
    memory: 64 * MEBIBYTE,
    stdout: new Collector(),
    stderr: new Collector(),
    onEvent: ({ type }) => events.push(type),
  });
  expect((await instance.outcome).end).toMatchObject({ signal: constants.signals.SIGKILL });
  expect(events).toContain('out-of-memory');
});

test('memory that is to be there is there, and stays', async () => {
  const { instance, stdout, next } = await fill(16, { memory: 200 * MEBIBYTE, prefault: true });
  expect(await residentMemory(instance)).toBeGreaterThan(200);
  next();
  await stdout.seen('freed');
  await expect(instance.machine.command('info balloon')).resolves.toMatch(/no balloon|not been activated|Error/i);
  next();
  expect((await instance.outcome).status).toBe(0);
});

test('huge pages: used where this host has set enough aside, refused in one line where not', async () => {
  const free = Number(
    await readFile('/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages', 'utf8').catch(() => 0),
  );
  const start = fill(16, { memory: 128 * MEBIBYTE, hugePages: '2M' });
  if (free < 64) {
    await expect(start).rejects.toMatchObject({
      code: 'OPTION_UNSUPPORTED',
      hint: expect.stringContaining('--huge-pages off'),
    });
    return;
  }
  const { instance, stdout, next } = await start;
  const maps = await readFile(`/proc/${instance.machine.pid}/smaps`, 'utf8');
  const used = [...maps.matchAll(/^Private_Hugetlb: +([0-9]+) kB$/gm)].reduce((sum, [, kb]) => sum + Number(kb), 0);
  expect(used).toBeGreaterThan(16 * 1024);
  next();
  await stdout.seen('freed');
  next();
  expect((await instance.outcome).status).toBe(0);
});
