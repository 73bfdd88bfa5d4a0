// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { Pace } from './pace.ts';

const MB = 1024 * 1024;
const KB = 1024;

/** Lets a line carry bytes for some seconds. @param carries bytes a second, with so many connections */
function run(seconds: number, carries: (connections: number) => number, most = 16) {
  let now = 0;
  const pace = new Pace({ most, window: 4 * MB, block: 256 * KB, now: () => now });
  const seen = new Set<number>();
  for (let step = 0; step < seconds * 10; step++) {
    now += 100;
    pace.received(carries(pace.connections) / 10);
    seen.add(pace.connections);
  }
  return { pace, seen: [...seen] };
}

describe('the number of connections', () => {
  test('stays small on a fast line', () => {
    const { pace, seen } = run(20, () => 100 * MB);
    expect(seen).toEqual([4]);
    expect(pace.rangeSize).toBe(MB);
  });

  test('grows where each connection is slow by itself', () => {
    const { pace } = run(20, (connections) => connections * 300 * KB);
    expect(pace.connections).toBe(16);
    expect(pace.rangeSize).toBe(256 * KB);
  });

  test('goes back where the line is slow, and is tried again now and then', () => {
    const { pace, seen } = run(20, () => 500 * KB);
    expect(seen).toEqual([4, 8]);
    expect(pace.connections).toBe(4);
    expect(pace.rangeSize).toBe(256 * KB);
  });

  test('never exceeds what is allowed', () => {
    const { seen } = run(20, (connections) => connections * 300 * KB, 6);
    expect(seen).toEqual([4, 6]);
    expect(run(20, () => MB, 1).seen).toEqual([1]);
  });

  test('all together ask for no more than the window', () => {
    for (const rate of [10 * KB, 300 * KB, 5 * MB, 1000 * MB]) {
      const { pace } = run(30, (connections) => connections * rate);
      expect(pace.connections * pace.rangeSize).toBeLessThanOrEqual(4 * MB);
    }
  });
});
