// SPDX-License-Identifier: Apache-2.0
import type { PortForward } from '../../vmm/monitor.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** Why something went wrong, as it is kept: the parts of an error. */
export interface Reason {
  code: string;
  message: string;
  hint?: string | undefined;
}

/** How the last program of an instance ended. */
export interface RunEnd {
  /** As `uk run` would have had it. */
  status: number;
  /** The signal that ended the program. */
  signal?: number | undefined;
  reason?: Reason | undefined;
  /** The end of the kernel's log, where something went wrong. */
  kernelLog?: string | undefined;
}

export interface Health {
  status: 'starting' | 'healthy' | 'unhealthy';
  failures: number;
  /** What the last probe found. */
  detail: string;
}

/**
 * What a supervisor writes down of its run. It says what was true when it was written; what is true now needs a look at
 * the processes, which {@link viewOf} takes.
 */
export interface RunState {
  version: 1;
  /** Number of the claim that the supervisor has. */
  run: number;
  phase: 'starting' | 'running' | 'stopping' | 'restarting' | 'exited';
  supervisor: ProcessIdentity;
  monitor?: ProcessIdentity | undefined;
  /** Of the machine; its monitor knows it, too. */
  uuid?: string | undefined;
  startedAt?: string | undefined;
  finishedAt?: string | undefined;
  end?: RunEnd | undefined;
  /** By the restart policy, since `uk start`. */
  restarts: number;
  /** Whether somebody asked for the end. */
  stopped: boolean;
  /** With the ports that the system chose. */
  forwards: readonly PortForward[];
  health?: Health | undefined;
  outOfMemory: boolean;
  accelerator?: string | undefined;
}

export function isRunState(value: unknown): value is RunState {
  if (typeof value !== 'object' || value === null) return false;
  const { version, run, phase, supervisor, restarts, forwards } = value as Partial<RunState>;
  return (
    version === 1 &&
    typeof run === 'number' &&
    typeof phase === 'string' &&
    typeof supervisor === 'object' &&
    typeof restarts === 'number' &&
    Array.isArray(forwards)
  );
}
