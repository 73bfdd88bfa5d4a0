// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ControlChannel, type Exit, type Hello } from '../guest-contract/control-channel.ts';
import { LogTail } from '../instances/streams.ts';
import type { Machine, MachineSpec, Monitor } from './monitor.ts';
import { parseProcessors } from './registers.ts';

export interface MonitorSubject {
  monitor: Monitor;
  /** A machine whose root has `/programs/copy` (its input to its output) and `/programs/signals` (never ends). */
  spec: MachineSpec;
}

/** What every monitor driver must do. Call it in a test file of the driver. */
export function monitorSuite(subject: () => Promise<MonitorSubject>): void {
  let monitor: Monitor;
  let spec: MachineSpec;
  const machines: Machine[] = [];

  beforeAll(async () => {
    ({ monitor, spec } = await subject());
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) {
      machine.kill();
      await machine.exited;
    }
  });

  async function start(changes: Partial<MachineSpec> = {}): Promise<Machine> {
    const machine = await monitor.start({ ...spec, ...changes });
    machines.push(machine);
    return machine;
  }

  /** Asks for a program at once, before the guest can be there. */
  function run(machine: Machine, program: string): ControlChannel {
    machine.log.resume();
    const control = new ControlChannel(machine.control);
    control.start({
      args: [`/programs/${program}`],
      env: [],
      time: BigInt(Date.now()) * 1_000_000n,
      seed: Buffer.alloc(32),
      stdin: 'open',
    });
    return control;
  }

  describe('ports', () => {
    test('what is written before the guest is there arrives', async () => {
      const machine = await start();
      const bytes = Buffer.from('written at once');
      machine.stdin.write(bytes);
      const control = run(machine, 'copy');
      control.stdinEnd(bytes.length);
      const hello = once(control, 'hello') as Promise<[Hello]>;
      const exit = once(control, 'exit') as Promise<[Exit]>;
      const output = once(machine.stdout, 'data') as Promise<[Buffer]>;
      expect((await hello)[0]).toMatchObject({ contract: 2, cpus: spec.cpus });
      expect((await output)[0].toString()).toBe('written at once');
      expect((await exit)[0]).toEqual({ end: { status: 0 }, stdout: bytes.length, stderr: 0 });
    });

    test('output that nobody reads yet waits', async () => {
      const machine = await start();
      machine.stdin.write('kept');
      const control = run(machine, 'copy');
      control.stdinEnd(4);
      await once(control, 'exit');
      expect(machine.stdout.readableFlowing).toBeNull();
      expect(String((await once(machine.stdout, 'data'))[0])).toBe('kept');
    });
  });

  describe('the end', () => {
    test('a kill ends the machine, its ports and its log', async () => {
      const machine = await start();
      const control = run(machine, 'signals');
      machine.stdout.resume();
      machine.stderr.resume();
      await once(control, 'started');
      const closed = Promise.all(
        [machine.control, machine.stdout, machine.stderr, machine.log].map((port) => once(port, 'close')),
      );
      machine.kill();
      expect((await machine.exited).signal).toBe('SIGKILL');
      await closed;
      machine.kill();
      await expect(readFile(`/proc/${machine.pid}/stat`)).rejects.toThrow();
    });

    test('a monitor that is killed by somebody else', async () => {
      const machine = await start();
      run(machine, 'signals');
      process.kill(machine.pid, 'SIGKILL');
      const exit = await machine.exited;
      expect(monitor.explainExit(spec, exit)).toMatchObject({ code: 'MONITOR_FAILED' });
    });

    test('a kernel that is not there', async () => {
      const changes = { kernel: '/nowhere/vmlinux' };
      const machine = await start(changes);
      machine.log.resume();
      const error = monitor.explainExit({ ...spec, ...changes }, await machine.exited);
      expect(error).toMatchObject({ code: 'MONITOR_FAILED' });
      expect(error.message).not.toContain('\n');
    });
  });

  test('machines do not disturb each other', async () => {
    const both = await Promise.all([start(), start()]);
    const outputs = both.map(async (machine, index) => {
      const text = `machine ${index}`;
      machine.stdin.write(text);
      const control = run(machine, 'copy');
      control.stdinEnd(text.length);
      return String((await once(machine.stdout, 'data'))[0]);
    });
    expect(await Promise.all(outputs)).toEqual(['machine 0', 'machine 1']);
  });

  test("the monitor's console answers while the guest runs", async () => {
    const machine = await start();
    const control = run(machine, 'signals');
    await once(control, 'started');
    expect(await machine.command('info registers')).toMatch(/RIP=/);
    machine.kill();
    await machine.exited;
    await expect(machine.command('info registers')).rejects.toMatchObject({ code: 'MONITOR_FAILED' });
  });
  describe('a look from outside', () => {
    test('a machine is held while its monitor is stopped, and only then', async () => {
      const machine = await start();
      await once(run(machine, 'signals'), 'started');
      expect(await machine.held()).toBe(false);
      process.kill(machine.pid, 'SIGSTOP');
      await expect.poll(() => machine.held()).toBe(true);
      process.kill(machine.pid, 'SIGCONT');
      await expect.poll(() => machine.held()).toBe(false);
    });

    test('the registers of all processors; it runs on', async () => {
      const machine = await start({ cpus: 2 });
      const control = run(machine, 'signals');
      await once(control, 'started');
      const processors = parseProcessors(await machine.registers());
      expect(processors.map(({ index }) => index)).toEqual([0, 1]);
      control.ping('after');
      expect((await once(control, 'pong'))[0]).toMatchObject({ id: 'after' });
    });

    test("a non-maskable interrupt reaches the guest's kernel, which goes on", async () => {
      const machine = await start();
      const control = run(machine, 'signals');
      const said = new Promise<void>((resolve) => new LogTail(machine.log, undefined).watch('NMI', resolve));
      await once(control, 'started');
      await machine.nonMaskableInterrupt();
      await said;
      control.ping('after');
      expect((await once(control, 'pong'))[0]).toMatchObject({ id: 'after' });
    });
  });
}
