// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { acceleratorWish, choiceOf } from './choose.ts';
import { frequencyOf } from './probe.ts';

const tsc = { khz: 2_596_122, errorPpm: 100 };

describe('what is known already', () => {
  test('KVM that has run a guest', () =>
    expect(choiceOf({ kvm: { works: true, detail: 'a guest ran' } }, undefined, true)).toEqual({
      accelerator: { kind: 'kvm' },
      detail: 'a guest ran',
    }));

  test('KVM that has not, and a measured frequency', () =>
    expect(choiceOf({ kvm: { works: false, detail: 'it hung' }, tsc }, undefined, true)).toEqual({
      accelerator: { kind: 'tcg', tscKhz: tsc.khz },
      detail: 'it hung',
    }));

  test('KVM is forgotten where its device cannot be opened now', () =>
    expect(choiceOf({ kvm: { works: true, detail: '' }, tsc }, 'there is no /dev/kvm', true)).toMatchObject({
      accelerator: { kind: 'tcg' },
      detail: 'there is no /dev/kvm',
    }));

  test('a counter that changes its pace is not called reliable', () =>
    expect(choiceOf({ tsc }, 'no device', false)?.accelerator).toEqual({ kind: 'tcg' }));

  test.each([
    ['nothing', {}, undefined],
    ['only a frequency, with a device to try', { tsc }, undefined],
    ['only that KVM fails', { kvm: { works: false, detail: '' } }, undefined],
    ['nothing, without a device', {}, 'no device'],
  ])('%s is not enough', (_what, verdict, device) => expect(choiceOf(verdict, device, true)).toBeUndefined());
});

test('wishes', () => {
  expect(['auto', 'kvm', 'tcg'].map((wish) => acceleratorWish(wish))).toEqual(['auto', 'kvm', 'tcg']);
  expect(() => acceleratorWish('hvf')).toThrow(expect.objectContaining({ code: 'OPTION_UNSUPPORTED' }));
});

test('a frequency lies between what the two readings allow', () => {
  // One million ticks in a second; each answer took at most 0.2 ms.
  const first = { tsc: 0n, before: 0n, after: 200_000n };
  const second = { tsc: 1_000_000_000n, before: 1_000_000_000n, after: 1_000_200_000n };
  const { khz, errorPpm } = frequencyOf(first, second);
  expect(khz).toBe(1_000_000);
  expect(errorPpm).toBe(200);
});
