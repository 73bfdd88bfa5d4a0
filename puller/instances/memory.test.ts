// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { backingOf, chooseMemory, memoryNeed, prefaultMs, tooSmall } from './memory.ts';

const MiB = 1024 ** 2;

function initramfs(initrdSize: number, unpackedSize: number) {
  return { kind: 'initramfs' as const, initrd: '/initrd', initrdSize, unpackedSize };
}

function image(initrdSize: number) {
  return { root: initramfs(initrdSize, initrdSize), profile: { defaults: { memory: 128 * MiB } } };
}

test('the default is enough for a small image, and grows with a large one', () => {
  expect(chooseMemory(undefined, image(10 * MiB))).toBe(128 * MiB);
  expect(chooseMemory(undefined, image(100 * MiB))).toBeGreaterThan(300 * MiB);
});

test('what was asked for is given, or refused with what would do', () => {
  expect(chooseMemory(64 * MiB, image(1 * MiB))).toBe(64 * MiB);
  const need = memoryNeed(image(10 * MiB).root);
  expect(chooseMemory(need, image(10 * MiB))).toBe(need);
  expect(() => chooseMemory(need - 1, image(10 * MiB))).toThrow(
    expect.objectContaining({ code: 'MEMORY_TOO_SMALL', hint: expect.stringMatching(/-m \d+M$/) }),
  );
});

test('many small files need more than their bytes', () => {
  const small = initramfs(4 * MiB, 30_000 * 5120);
  expect(memoryNeed(small)).toBeGreaterThan(2 * 30_000 * 4096);
});

test('a root on a disk takes no memory for its size', () => {
  const disk = { root: { kind: 'erofs' as const, disk: '/disk.vmdk' }, profile: { defaults: { memory: 128 * MiB } } };
  expect(chooseMemory(undefined, disk)).toBe(128 * MiB);
  expect(chooseMemory(64 * MiB, disk)).toBe(64 * MiB);
  expect(() => chooseMemory(16 * MiB, disk)).toThrow(expect.objectContaining({ code: 'MEMORY_TOO_SMALL' }));
});

test.each([
  [64, 100],
  [100, 100],
  [500, 100],
])('who had %d MiB, and %d were thought to be enough, is told a larger number', (memory, need) => {
  const { hint } = tooSmall(memory * MiB, need * MiB);
  const told = Number(/-m (\d+)M$/.exec(hint ?? '')?.[1]);
  expect(told).toBeGreaterThan(need);
  expect(told).toBeGreaterThanOrEqual(Math.max(memory < need ? 0 : 2 * memory, need + 32));
});

test('memory that is touched first gives a guest more time', () => {
  expect(prefaultMs({ prefault: false }, 1024 * MiB)).toBe(0);
  expect(prefaultMs({ prefault: true }, 1024 * MiB)).toBe(8_000);
});

test('how memory is given: the profile, unless something else is said', () => {
  const profile = { devices: ['virtio-balloon' as const], memory: { hugePages: '2M' as const, prefault: true } };
  expect(backingOf(profile, {})).toEqual({ hugePages: '2M', prefault: true, reporting: true });
  expect(backingOf(profile, { hugePages: 'off', prefault: false })).toMatchObject({
    hugePages: undefined,
    prefault: false,
  });
  expect(backingOf({ devices: [], memory: undefined }, { hugePages: '1G' })).toMatchObject({
    hugePages: '1G',
    prefault: false,
    reporting: false,
  });
});
