// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { monitorStats, parseGuestStats, parseProcesses } from './reports.ts';

const STATS = `# /proc/meminfo
MemTotal:         119436 kB
MemFree:           98000 kB
MemAvailable:      99436 kB
# /proc/stat
cpu  10 0 20 999 5 1 2 0 0 0
cpu0 10 0 20 999 5 1 2 0 0 0
# /proc/net/dev
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    5000      10    0    0    0     0          0         0     5000      10    0    0    0     0       0          0
  eth0:    1234      10    0    0    0     0          0         0      567       9    0    0    0     0       0          0
# processes
3
`;

test('what a guest uses', () => {
  expect(parseGuestStats(STATS)).toEqual({
    ...{ memoryTotal: 119436 * 1024, memoryUsed: 20000 * 1024, cpuSeconds: 0.33 },
    ...{ received: 1234, sent: 567, processes: 3 },
  });
});

test('the processes of a guest, whatever they are called', () => {
  const fields = 'S 1 5 5 0 -1 4194560 10 0 0 0 150 50 0 0 20 0 1 0 1000 4096000 25 0';
  const report = `# /proc/uptime\n100.50 90.00\n# processes\n1000 5 (a) b (c)) ${fields}\nserver --port 80 \n0 2 (x) ${fields}\n\n`;
  expect(parseProcesses(report)).toEqual([
    expect.objectContaining({ uid: 0, pid: 2, command: '[x]' }),
    { uid: 1000, pid: 5, ppid: 1, state: 'S', cpuSeconds: 2, age: 90, memory: 25 * 4096, command: 'server --port 80' },
  ]);
});

test('a guest may report anything', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), fc.nat(STATS.length), (noise, at) => {
      const report = STATS.slice(0, at) + noise + STATS.slice(at);
      for (const value of Object.values(parseGuestStats(report))) {
        expect(value === undefined || Number.isFinite(value)).toBe(true);
      }
      for (const { pid, age, memory } of parseProcesses(report)) {
        expect([pid, age, memory].every(Number.isFinite)).toBe(true);
      }
    }),
  );
});

test('this process, as a monitor', () => {
  expect(monitorStats(process.pid).memory).toBeGreaterThan(1024 ** 2);
  expect(monitorStats(2 ** 22 + 1)).toEqual({
    ...{ memory: undefined, cpuSeconds: undefined, read: undefined, written: undefined },
  });
});
