// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { PullerError } from '../../errors.ts';
import type { Machine, MachineExit, MachineSpec, Monitor } from '../monitor.ts';
import { DESCRIPTOR, qemuArguments } from './arguments.ts';
import { qemuBinary } from './binary.ts';
import { explainQemuExit } from './failure.ts';
import { isHeld, registersOf } from './inspect.ts';
import { parentDeathSignal } from './parent-death.ts';
import { QmpClient } from './qmp.ts';
import { findVirtiofsd, serveFolders } from './virtiofsd.ts';

const COMPLAINT_MAX = 16 * 1024;

/**
 * QEMU. Its ports are pairs of connected sockets that it inherits: connected before the machine runs, reachable by
 * nobody else, and gone with the two processes.
 *
 * Two things end QEMU when this process is killed with SIGKILL. `setpriv --pdeathsig` (util-linux) lets the kernel kill
 * it with its parent. Where there is no setpriv, the guest's init does: START tethers it to the control port.
 */
export const qemu: Monitor = {
  name: 'qemu',
  explainExit: explainQemuExit,
  shareKind: (filesystems, readOnly) =>
    filesystems.includes('virtiofs') && !readOnly && findVirtiofsd() !== undefined ? 'virtiofs' : '9p',
  async start(spec) {
    const folders = await serveFolders(spec.shares ?? []);
    let child: ChildProcess;
    try {
      child = spawnQemu(spec, folders.sockets);
    } catch (error) {
      // This process would wait for the daemons.
      await folders.close();
      throw error;
    }
    const exited = exitOf(child, folders.failed);
    exited.then(folders.close);
    if (child.pid === undefined) throw explainQemuExit(spec, await exited);
    return machineOf(child, child.pid, spec, exited);
  },
};

function spawnQemu(spec: MachineSpec, sockets: ReadonlyMap<string, string>): ChildProcess {
  const [program, ...argv] = [...parentDeathSignal(), qemuBinary(), ...qemuArguments(spec, sockets)];
  return spawn(program ?? '', argv, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...(spec.agent ? ['pipe' as const] : [])],
    // A session of its own: Ctrl-C in the terminal is for us, who pass it on to the program in the guest.
    detached: true,
  });
}

function machineOf(child: ChildProcess, pid: number, spec: MachineSpec, exited: Promise<MachineExit>): Machine {
  let qmp: QmpClient | undefined;
  const command = (line: string): Promise<string> => {
    qmp ??= new QmpClient(socketOf(child, DESCRIPTOR.qmp));
    return qmp.human(line);
  };
  return {
    pid,
    accelerator: spec.accelerator,
    control: socketOf(child, DESCRIPTOR.control),
    stdin: socketOf(child, DESCRIPTOR.stdin),
    stdout: socketOf(child, DESCRIPTOR.stdout),
    stderr: socketOf(child, DESCRIPTOR.stderr),
    agent: spec.agent ? socketOf(child, DESCRIPTOR.agent) : undefined,
    log: child.stdout as Readable,
    exited,
    kill: () => void child.kill('SIGKILL'),
    uuid: async () => (await command('info uuid')).trim(),
    command,
    held: () => isHeld(pid, command),
    registers: () => registersOf(command),
    nonMaskableInterrupt: async () => void (await command('nmi')),
  };
}

function socketOf(child: ChildProcess, descriptor: number): Socket {
  const stream = child.stdio[descriptor];
  if (stream instanceof Socket) return stream;
  throw new PullerError('MONITOR_FAILED', `descriptor ${descriptor} of the monitor is not a socket`);
}

function exitOf(child: ChildProcess, failed: Promise<string>): Promise<MachineExit> {
  let complaint = '';
  failed.then((why) => {
    // A daemon also ends because QEMU has: what QEMU said of itself comes last, and counts.
    if (child.exitCode === null && child.kill('SIGKILL')) complaint = `${why}\n${complaint}`;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_MAX);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, complaint: error.message }));
    child.on('exit', (code, signal) => {
      // What it said last may still be on its way.
      const done = (): void => resolve({ code, signal, complaint: complaint.trim() });
      if (child.stderr?.readableEnded ?? true) done();
      else child.stderr?.once('end', done);
    });
  });
}
