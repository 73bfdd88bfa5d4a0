// SPDX-License-Identifier: Apache-2.0
// A guest that hangs is reported; one that only works, or stands because we want it to, is not.
import { constants } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ControlChannel } from '../../puller/guest-contract/control-channel.ts';
import { startInstance } from '../../puller/index.ts';
import { runUk, uk } from '../whole/command.ts';
import { crash, failureOf } from './crash-program.ts';
import { buildGuestImage, Collector, type GuestImage, runGuest } from './guest.ts';

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
});
afterAll(() => image?.[Symbol.asyncDispose]());

describe('a guest that hangs is reported', () => {
  test.each([['kernel', /processor 0 is running in the kernel at 0xffffffff[0-9a-f]+, interrupts off/]])(
    'by a %s',
    async (how, where) => {
      const console = new Collector();
      const { instance } = await crash(image, how, { watchdogMs: 1_000, console });
      const error = await failureOf(instance.outcome);
      expect(error.code).toBe('GUEST_UNRESPONSIVE');
      expect(error.message).toMatch(where);
      expect(error.hint).toContain('--watchdog');
      for (const log of [error.kernelLog ?? '', console.text]) {
        expect(log).toContain('[uk: the guest has not answered for 1 s]');
        expect(log).toMatch(where);
        expect(log).toMatch(/RAX=[0-9a-f]{16}/);
        expect(log).toMatch(/CR3=[0-9a-f]{16}/);
      }
    },
  );
});

test('by the command: the log, one line, and the exit status of timeout(1)', async () => {
  const env = { UK_STORE: join(image.folder, 'command-store') };
  await uk(['build', '-t', 'crash:1', '--app', join(image.folder, 'crash')], { env });
  const { status, stderr } = await runUk(['run', '--watchdog', '1s', 'crash:1', '--', 'kernel', 'now'], { env });
  expect(status).toBe(124);
  expect(stderr.toString()).toMatch(
    /\[uk: processor 0 is running in the kernel .*RAX=.*^uk: the guest stopped answering \(1 s\): processor 0 [^\n]*\n$/ms,
  );
});

describe('a guest whose program keeps the processor with interrupts off is reported, and goes on', () => {
  test.each([
    ['spin', 1, 0, 'running'],
    ['hang', 1, 0, 'halted'],
    ['spin on the processor that the other waits for', 2, 1, 'running'],
  ])('by a %s', async (what, cpus, processor, state) => {
    const how = cpus === 1 ? what : 'other';
    const where = new RegExp(`processor ${processor} is ${state} in the program at 0x[0-9a-f]+, interrupts off`);
    const revived = Promise.withResolvers<string>();
    const { instance } = await crash(image, how, {
      cpus,
      watchdogMs: 1_000,
      onEvent: (event) => event.type === 'revived' && revived.resolve(event.text),
    });
    expect(await revived.promise).toMatch(where);
    // It hears again.
    instance.signal(constants.signals.SIGTERM);
    const outcome = await instance.outcome;
    expect(outcome).toMatchObject({ status: 128 + constants.signals.SIGTERM });
    expect(outcome.kernelLog).toMatch(where);
    // Of several that are asked at once, the kernel's limit of messages may let but one speak.
    if (cpus === 1) expect(outcome.kernelLog).toMatch(/NMI: CPU 0 runs crash\[\d+\] at 0x[0-9a-f]+, interrupts off/);
  });
});

test('a program that loads GS is ended by the next interrupt', async () => {
  const outcome = await (await crash(image, 'gs')).instance.outcome;
  expect(outcome).toMatchObject({ status: 128 + constants.signals.SIGSEGV });
  expect(outcome.kernelLog).toMatch(/crash\[\d+\] loaded GS, which is the kernel's/);
});

describe('no false alarm', () => {
  test.each([
    ['a hundred busy threads', ['100', '5000']],
    ['a thread that goes before all others', ['1', '5000', 'fifo']],
  ])('%s on one processor', async (_what, args) => {
    const { outcome, stdout } = await runGuest(image, 'busy', args, { cpus: 1, watchdogMs: 3_000 });
    expect(outcome.status).toBe(0);
    expect(stdout.toString()).toBe('done\n');
  });

  test('output that nobody reads for three times the limit', async () => {
    const limit = 1_000;
    const read = delay(3 * limit);
    const stdout = new Writable({ write: (_chunk, _encoding, done) => void read.then(() => done()) });
    const { outcome } = await runGuest(image, 'pattern', [String(8 * 1024 ** 2)], { watchdogMs: limit, stdout });
    expect(outcome.status).toBe(0);
  });

  test('a monitor that is stopped for a while', async () => {
    const stdout = new Collector();
    const held = Promise.withResolvers<void>();
    const instance = await startInstance(image.bootable, {
      entrypoint: ['/programs/signals'],
      stdout,
      stderr: new Collector(),
      watchdogMs: 1_000,
      onEvent: (event) => {
        if (event.type === 'silent' && event.held) held.resolve();
      },
    });
    await stdout.seen('ready');
    process.kill(instance.machine.pid, 'SIGSTOP');
    await held.promise;
    process.kill(instance.machine.pid, 'SIGCONT');
    instance.signal(constants.signals.SIGTERM);
    expect((await instance.outcome).kernelLog).not.toContain('[uk:');
  });

  test('nobody asks where it is off', async () => {
    const ping = vi.spyOn(ControlChannel.prototype, 'ping');
    expect((await runGuest(image, 'exit', [], {})).outcome.status).toBe(0);
    expect(ping).toHaveBeenCalled();
    ping.mockClear();
    expect((await runGuest(image, 'exit', [], { watchdogMs: 0 })).outcome.status).toBe(0);
    expect(ping).not.toHaveBeenCalled();
    ping.mockRestore();
  });
});
