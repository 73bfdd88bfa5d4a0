// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Bootable } from '../../assemble/bootable.ts';
import { PullerError, type PullerErrorCode } from '../../errors.ts';
import { cacheFolder } from '../../store/folders.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';
import type { FirstReport } from './first-report.ts';

/** A checkout runs its sources, a package what they were built to. */
const PROGRAM = fileURLToPath(new URL(`../supervisor/main${extname(import.meta.url)}`, import.meta.url));

/** What a supervisor needs to know of the environment that it was started in; it outlives that. */
const PASSED_ON = /^(?:PATH|HOME|TMPDIR|LD_LIBRARY_PATH|LANG|LC_\w+|TZ|UK_\w+|XDG_\w+|SOURCE_DATE_EPOCH|NODE_\w+)$/;

export interface Launch {
  /** Folder of all instances. */
  instances: string;
  folder: InstanceFolder;
  bootable: Bootable;
  /** Folder of the named volumes. */
  volumes: string;
  /** Ends the waiting, not the instance. */
  signal?: AbortSignal | undefined;
}

/** A failed start. */
export class StartError extends PullerError {
  /** What `uk run` would have exited with. */
  readonly status: number | undefined;

  constructor({ reason, kernelLog, status }: Extract<FirstReport, { ok: false }>) {
    super(reason.code as PullerErrorCode, reason.message, reason.hint === undefined ? {} : { hint: reason.hint });
    this.kernelLog = kernelLog;
    this.status = status;
  }
}

/**
 * Starts the supervisor of an instance and waits until the program runs. The supervisor has a session of its own: it
 * outlives this process and the shell.
 *
 * @throws StartError with the reason, of which the instance's record tells, too; the signal's reason
 */
export async function launchInstance({ instances, folder, bootable, volumes, signal }: Launch): Promise<void> {
  const child = spawnSupervisor(instances, folder, volumes);
  // One that ends early takes no input.
  child.stdin?.on('error', () => {});
  child.stdin?.end(JSON.stringify({ bootable }));
  const ended = once(child, 'exit').catch(() => []);
  try {
    const report = await firstReport(child.stdio[3] as Readable, signal);
    if (report?.ok) return;
    if (report !== undefined) {
      // What it does at its end is done when this command is.
      await ended;
      throw new StartError(report);
    }
    await ended;
    const said = lastComplaint(folder);
    throw new PullerError('SUPERVISOR_LOST', `the supervisor ended before the program ran${said}`, {
      hint: `its own log is ${folder.file('complaints')}`,
    });
  } finally {
    child.stdin?.destroy();
    child.stdio[3]?.destroy();
    child.unref();
  }
}

function spawnSupervisor(instances: string, folder: InstanceFolder, volumes: string): ChildProcess {
  const complaints = openSync(folder.file('complaints'), 'a', 0o600);
  try {
    const kept = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name));
    return spawn(process.execPath, [PROGRAM, instances, folder.id, volumes], {
      stdio: ['pipe', 'ignore', complaints, 'pipe'],
      detached: true,
      cwd: '/',
      env: { ...Object.fromEntries(kept), NODE_COMPILE_CACHE: join(cacheFolder(), 'node') },
    });
  } finally {
    closeSync(complaints);
  }
}

async function firstReport(pipe: Readable, signal: AbortSignal | undefined): Promise<FirstReport | undefined> {
  let text = '';
  const abort = (): unknown => pipe.destroy(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) abort();
    for await (const chunk of pipe.setEncoding('utf8')) {
      text += chunk;
      if (text.includes('\n')) break;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return text.includes('\n') ? (JSON.parse(text) as FirstReport) : undefined;
}

/** The last line of a supervisor's own log. */
export function lastComplaint(folder: InstanceFolder): string {
  try {
    const text = readFileSync(folder.file('complaints'), 'utf8').trimEnd();
    return text === '' ? '' : `: ${text.slice(text.lastIndexOf('\n') + 1)}`;
  } catch {
    return '';
  }
}
