// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { parseRegisters, sampleRegisters } from './registers.ts';

/** As QEMU prints it, shortened. */
function printed(rip: string, cpl: number): string {
  return [
    'CPU#0',
    'RAX=0000000000000000 RBX=0000000000000001 RCX=00000000ffffffff RDX=0000000000000000',
    `RIP=${rip} RFL=00000246 [---Z-P-] CPL=${cpl} II=0 A20=1 SMM=0 HLT=0`,
    'ES =0000 0000000000000000 ffffffff 00c00100',
    'CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]',
  ].join('\r\n');
}

test('an application and the kernel', () => {
  expect(parseRegisters(printed('000055d4e8f3c1a0', 0))).toEqual({
    cpl: 0,
    cs: 0x10,
    rip: 0x55d4e8f3c1a0n,
    application: true,
  });
  expect(parseRegisters(printed('ffffffff8111f0c3', 3))).toMatchObject({ cpl: 3, application: false });
});

test('anything else is an error', () => {
  expect(() => parseRegisters('unknown command')).toThrow(expect.objectContaining({ code: 'MONITOR_FAILED' }));
});

test('looks until the application is seen', async () => {
  const seen = ['ffffffff8111f0c3', 'ffffffff8111f0c3', '0000000000401000', '0000000000402000'];
  const machine = { command: async () => printed(seen.shift() ?? '', 0) };
  const samples = await sampleRegisters(machine, { intervalMs: 0 });
  expect(samples.map(({ application }) => application)).toEqual([false, false, true]);
});

test('gives up when the time is over', async () => {
  const machine = { command: async () => printed('ffffffff8111f0c3', 0) };
  const samples = await sampleRegisters(machine, { timeoutMs: 5, intervalMs: 0 });
  expect(samples.length).toBeGreaterThan(0);
  expect(samples.every(({ application }) => !application)).toBe(true);
});
