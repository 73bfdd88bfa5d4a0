// SPDX-License-Identifier: Apache-2.0
import { duplexPair, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { Machine, MachineExit, Monitor } from '../monitor.ts';
import { measureTsc, probeKvm } from './probe.ts';

/** A monitor whose guests never say anything. */
function silentMonitor(onStart: () => void): { monitor: Monitor; running: () => number } {
  let running = 0;
  const monitor: Monitor = {
    name: 'silent',
    shareKind: () => '9p' as const,
    explainExit: () => new Error('it was killed'),
    async start(spec): Promise<Machine> {
      running++;
      const exit = Promise.withResolvers<MachineExit>();
      setImmediate(onStart);
      return {
        pid: 1,
        accelerator: spec.accelerator,
        control: duplexPair()[0],
        stdin: duplexPair()[0],
        stdout: duplexPair()[0],
        stderr: duplexPair()[0],
        log: new PassThrough(),
        exited: exit.promise.finally(() => running--),
        kill: () => exit.resolve({ code: null, signal: 'SIGKILL', complaint: '' }),
        command: async () => '',
        held: async () => false,
        registers: async () => '',
        uuid: async () => '',
        nonMaskableInterrupt: async () => {},
      };
    },
  };
  return { monitor, running: () => running };
}

const subject = { machine: { type: 'microvm', options: {} }, kernel: '/kernel' };

test.each([
  ['KVM', (monitor: Monitor, signal: AbortSignal) => probeKvm(monitor, subject, 60_000, signal)],
  ['the emulator', (monitor: Monitor, signal: AbortSignal) => measureTsc(monitor, subject, 1, 60_000, signal)],
])('an abort ends the probe of %s and its guest', async (_what, probe) => {
  const controller = new AbortController();
  const reason = new Error('not now');
  const { monitor, running } = silentMonitor(() => controller.abort(reason));
  await expect(probe(monitor, controller.signal)).rejects.toBe(reason);
  expect(running()).toBe(0);
  await expect(probe(monitor, controller.signal)).rejects.toBe(reason);
});

test('a guest that says nothing is given up', async () => {
  const { monitor, running } = silentMonitor(() => {});
  expect(await probeKvm(monitor, subject, 20)).toMatch(/did not come up within 0.02 s/);
  expect(running()).toBe(0);
});
