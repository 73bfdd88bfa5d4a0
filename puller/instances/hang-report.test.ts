// SPDX-License-Identifier: Apache-2.0
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { PullerError } from '../errors.ts';
import { type HangReportOptions, reportHang } from './hang-report.ts';
import { LogTail } from './streams.ts';

const REGISTERS = [
  'CPU#0',
  'RAX=0000000000000000',
  'RIP=0000000000401000 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0',
  'CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]',
].join('\n');

function subject(changes: Partial<HangReportOptions['machine']> = {}) {
  const kernel = new PassThrough();
  const log = new LogTail(kernel, undefined);
  const asked: string[] = [];
  const machine: HangReportOptions['machine'] = {
    held: async () => false,
    registers: async () => REGISTERS,
    nonMaskableInterrupt: async () => void asked.push('nmi'),
    ...changes,
  };
  return { kernel, log, asked, machine };
}

test('a guest that says nothing is given up, with its registers', async () => {
  const { log, asked, machine } = subject();
  const verdict = await reportHang({ machine, log, alive: () => false, silentMs: 60_000, revivalMs: 200 });
  expect(verdict).toBeInstanceOf(PullerError);
  expect(verdict).toMatchObject({
    code: 'GUEST_UNRESPONSIVE',
    message: 'the guest stopped answering (60 s): processor 0 is running in the program at 0x401000, interrupts off',
  });
  // The second one makes a kernel that hangs without interrupts say where.
  expect(asked).toEqual(['nmi', 'nmi']);
  expect(log.text()).toContain('RAX=0000000000000000');
});

test('one that is held is left alone, and so is its log', async () => {
  const { log, asked, machine } = subject({ held: async () => true });
  expect(await reportHang({ machine, log, alive: () => false, silentMs: 1, revivalMs: 200 })).toBe('held');
  expect(asked).toEqual([]);
  expect(log.text()).toBe('');
});

test('one that answers while it is looked at goes on without a trace', async () => {
  const { log, asked, machine } = subject();
  expect(await reportHang({ machine, log, alive: () => true, silentMs: 1, revivalMs: 200 })).toBe('alive');
  expect(asked).toEqual([]);
  expect(log.text()).toBe('');
});

test('one that answers when it is asked by an interrupt goes on', async () => {
  const { log, asked, machine } = subject();
  const verdict = await reportHang({ machine, log, alive: () => asked.length > 0, silentMs: 1, revivalMs: 200 });
  expect(verdict).toEqual({
    revived: 'the guest had stopped answering: processor 0 is running in the program at 0x401000, interrupts off',
  });
  expect(log.text()).toMatch(/\[uk: the guest answers again\]$/);
});

test('what the kernel says then is waited for', async () => {
  const { kernel, log, machine } = subject({ nonMaskableInterrupt: async () => void kernel.write('NMI: here I am\n') });
  await reportHang({ machine, log, alive: () => false, silentMs: 1, revivalMs: 200 });
  expect(log.text()).toMatch(/asks its kernel\]\n(?:NMI: here I am\n){2}\[uk: given up\]$/);
});

test('processors that have not been started are no reason for silence', async () => {
  const registers = async () => `${REGISTERS}\nCPU#1\nEIP=0000fff0 EFL=00000002 CPL=0 HLT=1\n`;
  const { log, asked, machine } = subject({ registers });
  const verdict = await reportHang({ machine, log, alive: () => asked.length > 0, silentMs: 1, revivalMs: 200 });
  expect(verdict).toMatchObject({ revived: expect.stringContaining('processor 0 is running in the program') });
  expect(log.text()).toContain('[uk: processor 1 has not been started]');
});

test('a program without interrupts is named before a kernel that has them off for a moment', async () => {
  const kernel = REGISTERS.replace('RIP=0000000000401000', 'RIP=ffffffff81000000');
  const registers = async () => `${kernel}\n${REGISTERS.replace('CPU#0', 'CPU#1')}`;
  const { log, machine } = subject({ registers });
  const verdict = await reportHang({ machine, log, alive: () => false, silentMs: 1000, revivalMs: 200 });
  expect(verdict).toMatchObject({ message: expect.stringContaining('processor 1 is running in the program') });
});

test('a monitor that refuses leaves a report without registers', async () => {
  const { log, asked, machine } = subject({ registers: () => Promise.reject(new Error('refused')) });
  const verdict = await reportHang({ machine, log, alive: () => false, silentMs: 1000 });
  expect(verdict).toMatchObject({ code: 'GUEST_UNRESPONSIVE', message: 'the guest stopped answering (1 s)' });
  expect(asked).toEqual([]);
  expect(log.text()).toContain('its monitor does not answer either');
});
