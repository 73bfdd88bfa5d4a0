// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startInstance } from '../../puller/index.ts';
import { crash, failureOf } from './crash-program.ts';
import { buildGuestImage, Collector, type GuestImage, runGuest } from './guest.ts';

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
});
afterAll(() => image?.[Symbol.asyncDispose]());

describe('a guest that ends before its program', () => {
  test('by a panic: the kernel log says why', async () => {
    const { instance, stdout } = await crash(image, 'panic');
    const error = await failureOf(instance.outcome);
    expect(error.code).toBe('GUEST_CRASHED');
    expect(error.message).toContain('its kernel panicked: Attempted to kill init');
    expect(error.kernelLog).toMatch(/Kernel panic - not syncing: Attempted to kill init/);
    expect(stdout.text).toBe('ready\n');
  });

  test('by a jump of its kernel through NULL, which is not taken for a fault of the program', async () => {
    const { instance, stdout } = await crash(image, 'null');
    const error = await failureOf(instance.outcome);
    expect(error.code).toBe('GUEST_CRASHED');
    expect(error.message).toContain('its kernel panicked: Fatal exception');
    expect(error.kernelLog).toContain("kernel jumped to an address of the program's");
    expect(stdout.text).toBe('ready\n');
  });

  test.each([
    ['triple', 'without a word of the kernel'],
    ['reset', 'something in it restarted the machine'],
  ])('by a %s', async (how, said) => {
    const { instance, stdout } = await crash(image, how);
    const error = await failureOf(instance.outcome);
    expect(error.code).toBe('GUEST_CRASHED');
    expect(error.message).toContain(said);
    expect(stdout.text).toBe('ready\n');
  });

  test('with its monitor', async () => {
    const stdout = new Collector();
    const instance = await startInstance(image.bootable, {
      entrypoint: ['/programs/signals'],
      stdout,
      stderr: new Collector(),
    });
    await stdout.seen('ready');
    process.kill(instance.machine.pid, 'SIGKILL');
    const error = await failureOf(instance.outcome);
    expect(error.code).toBe('GUEST_CRASHED');
    expect(error.message).toContain('SIGKILL');
  });
});

test('a guest whose processor stands still can be killed', async () => {
  const { instance } = await crash(image, 'hang');
  instance.signal(constants.signals.SIGTERM);
  instance.kill();
  expect((await instance.outcome).status).toBe(137);
});

describe('a guest that never comes up', () => {
  test('a kernel that is no kernel', async () => {
    const kernel = join(image.folder, 'no-kernel');
    await writeFile(kernel, 'not a kernel');
    const error = await failureOf(
      runGuest({ bootable: { ...image.bootable, kernel } }, 'exit', [], { accelerator: 'tcg' }),
    );
    expect(error).toMatchObject({ code: 'MONITOR_FAILED', message: expect.stringContaining('kernel') });
  });

  test('a time limit', async () => {
    const error = await failureOf(runGuest(image, 'exit', [], { bootTimeoutMs: 20 }));
    expect(error).toMatchObject({ code: 'GUEST_TIMEOUT' });
  });

  test('too little memory is noticed before', async () => {
    const error = await failureOf(runGuest(image, 'exit', [], { memory: 16 * 1024 ** 2 }));
    expect(error).toMatchObject({ code: 'MEMORY_TOO_SMALL' });
    expect(error.hint).toMatch(/-m \d+M/);
  });

  test('a contract of another time', async () => {
    const kernelJson = { ...image.bootable.kernelJson, guestContract: 99 };
    const error = await failureOf(runGuest({ bootable: { ...image.bootable, kernelJson } }, 'exit'));
    expect(error).toMatchObject({ code: 'IMAGE_UNSUPPORTED' });
  });
});

test('the kernel log can be watched', async () => {
  const console = new Collector();
  const { outcome } = await runGuest(image, 'exit', [], { console });
  expect(console.text).toMatch(/Linux version 6\.12\./);
  expect(console.text).toMatch(/Run \/\.uk\/init as init process/);
  expect(outcome.kernelLog).toMatch(/Run \/\.uk\/init as init process/);
});
