// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageHealth } from './image-health.ts';

const SECOND = 1_000_000_000;

test('the check of an image, as Docker writes it', () => {
  const Healthcheck = {
    Test: ['CMD', 'pg_isready', '-q'],
    Interval: 5 * SECOND,
    Timeout: SECOND,
    Retries: 9,
    StartPeriod: 0,
  };
  expect(imageHealth({ Healthcheck })).toEqual({
    ...{ probe: { kind: 'command', args: ['pg_isready', '-q'] }, intervalMs: 5_000, timeoutMs: 1_000 },
    ...{ startPeriodMs: 0, retries: 9 },
  });
  expect(imageHealth({ Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost || exit 1'] } })).toMatchObject({
    ...{ probe: { kind: 'command', args: ['/bin/sh', '-c', 'curl -f localhost || exit 1'] }, intervalMs: 30_000 },
    ...{ timeoutMs: 30_000, retries: 3 },
  });
});

test('none, and what is none', () => {
  for (const Healthcheck of [
    undefined,
    null,
    {},
    { Test: [] },
    { Test: ['NONE'] },
    { Test: ['CMD'] },
    { Test: 'x' },
    5,
  ]) {
    expect(imageHealth({ Healthcheck })).toBeUndefined();
  }
});

test('an image may write anything there', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('Test', 'Interval', 'Timeout', 'Retries'), fc.anything()),
      (Healthcheck) => {
        const check = imageHealth({ Healthcheck });
        if (check === undefined) return;
        expect(check.intervalMs).toBeGreaterThan(0);
        expect(check.timeoutMs).toBeLessThan(2 ** 31);
      },
    ),
  );
});
