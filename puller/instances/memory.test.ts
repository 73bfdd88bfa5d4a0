// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { chooseMemory, memoryNeed } from './memory.ts';

const MiB = 1024 ** 2;

function image(initrdSize: number) {
  return { initrdSize, profile: { defaults: { memory: 128 * MiB } } };
}

test('the default is enough for a small image, and grows with a large one', () => {
  expect(chooseMemory(undefined, image(10 * MiB))).toBe(128 * MiB);
  expect(chooseMemory(undefined, image(100 * MiB))).toBeGreaterThan(300 * MiB);
});

test('what was asked for is given, or refused with what would do', () => {
  expect(chooseMemory(64 * MiB, image(1 * MiB))).toBe(64 * MiB);
  const need = memoryNeed(image(10 * MiB));
  expect(chooseMemory(need, image(10 * MiB))).toBe(need);
  expect(() => chooseMemory(need - 1, image(10 * MiB))).toThrow(
    expect.objectContaining({ code: 'MEMORY_TOO_SMALL', hint: expect.stringMatching(/-m \d+M$/) }),
  );
});
