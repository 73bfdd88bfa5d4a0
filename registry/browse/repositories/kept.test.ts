// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test, vi } from 'vitest';
import type { Changes } from '../../service/changes.ts';
import { SYSTEM } from '../../service/surroundings.ts';
import { Kept } from './kept.ts';

let holds: boolean;
let reads: { resolve(value: string): void; reject(error: Error): void }[];
let kept: Kept<string>;

beforeEach(() => {
  holds = true;
  reads = [];
  const changes = { look: async () => {}, holds: () => holds } as unknown as Changes;
  const read = () => new Promise<string>((resolve, reject) => reads.push({ resolve, reject }));
  kept = new Kept(changes, SYSTEM, { read, weigh: () => 1, most: 100 });
});

const asked = async (count: number) => vi.waitFor(() => expect(reads).toHaveLength(count));

test('it is read once, by whoever asks first, and kept', async () => {
  const both = [kept.of('a'), kept.of('a')];
  await asked(1);
  reads[0]?.resolve('one');
  expect(await Promise.all(both)).toEqual(['one', 'one']);
  expect(await kept.of('a')).toBe('one');
  expect(reads).toHaveLength(1);
});

test('what changed is read again; while that takes long, what was known is given', async () => {
  const first = kept.of('a');
  await asked(1);
  reads[0]?.resolve('one');
  await first;
  holds = false;
  expect(await kept.of('a')).toBe('one');
  expect(reads).toHaveLength(2);
  holds = true;
  const quick = kept.of('a');
  reads[1]?.resolve('two');
  expect(await quick).toBe('two');
  expect(reads).toHaveLength(2);
});

test('a reading that fails is told, and tried again', async () => {
  const first = kept.of('a');
  await asked(1);
  reads[0]?.reject(new Error('failed'));
  await expect(first).rejects.toThrow('failed');
  const second = kept.of('a');
  await asked(2);
  reads[1]?.resolve('two');
  expect(await second).toBe('two');
});
