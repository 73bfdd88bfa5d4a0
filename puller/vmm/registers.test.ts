// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { parseProcessors, parseRegisters, sampleRegisters } from './registers.ts';

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

test('several processors, without what floats', () => {
  const halted = printed('ffffffff8111f0c3', 0).replace('CPU#0', 'CPU#1').replace('HLT=0', 'HLT=1');
  const stuck = printed('0000000000401000', 0).replace('RFL=00000246', 'RFL=00000046');
  const floating = 'FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80\r\nFPR0=0000000000000000 0000 FPR1=0 0';
  const processors = parseProcessors(`\r\n${stuck}\r\n${floating}\r\n\r\n${halted}\r\n${floating}\r\n`);
  expect(processors).toMatchObject([
    { index: 0, interrupts: false, halted: false, registers: { application: true } },
    { index: 1, interrupts: true, halted: true, registers: { application: false } },
  ]);
  for (const { text } of processors) {
    expect(text).toMatch(/^RAX=.*CS64 \[-RA\]$/s);
  }
  expect(parseProcessors('')).toEqual([]);
});

test('a processor that has not been started leaves the others readable', () => {
  const waiting = [
    'CPU#1',
    'EAX=00000000 EBX=00000000',
    'EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1',
  ];
  const processors = parseProcessors(`${printed('0000000000401000', 0)}\n${waiting.join('\n')}\n`);
  expect(processors).toMatchObject([
    { index: 0, registers: { application: true } },
    { index: 1, registers: undefined, halted: true, text: expect.stringContaining('EIP=0000fff0') },
  ]);
});
