// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { formatDuration, TransferMeter } from './transfer-meter.ts';

test('the estimate counts what comes, not what an earlier pull has left', () => {
  let now = 0;
  const meter = new TransferMeter(() => now);
  meter.expect({ missing: 8_000_000, resumed: 2_000_000 });
  meter.update('a', 2_000_000);
  expect(meter.text).toBe('');
  now = 1000;
  meter.update('a', 3_000_000);
  expect(meter.done).toBe(3_000_000);
  expect(meter.text).toBe('1 MB/s, 7 s left');
});

test('the rate is that of the last seconds', () => {
  let now = 0;
  const meter = new TransferMeter(() => now);
  meter.expect({ missing: 100_000_000, resumed: 0 });
  meter.update('a', 0);
  now = 1000;
  meter.update('a', 50_000_000);
  for (let at = 2000; at <= 20_000; at += 1000) {
    now = at;
    meter.update('a', 50_000_000 + at);
  }
  expect(meter.text).toMatch(/^1 kB\/s, 13 h 5\d min left$/);
});

test('durations are short', () => {
  expect([500, 61_000, 125_000, 7_800_000].map(formatDuration)).toEqual(['1 s', '61 s', '2 min', '2 h 10 min']);
});
