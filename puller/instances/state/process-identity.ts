// SPDX-License-Identifier: Apache-2.0
import { bootId, pidNamespace, processStart } from '../../../image-format/layout/process-start.ts';

/**
 * Names a process so that a later one with the same number is another one. It is written to records, and checked against
 * `/proc` when they are read.
 */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from the start of the machine to that of the process: field 22 of `/proc/PID/stat`. */
  start: string;
  /** The kernel's name for this start of the machine. */
  boot: string;
  /** The namespace of process numbers: containers that share a folder do not see each other's processes. */
  namespace: string;
}

/** `elsewhere`: in another container on this machine; its processes cannot be seen from here. */
export type Liveness = 'alive' | 'dead' | 'elsewhere';

/** @returns undefined for a process that is not there, or that has ended and is not yet reaped */
export function identityOf(pid: number = process.pid): ProcessIdentity | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : { pid, start, ...place() };
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  const identity = identityOf();
  if (identity !== undefined) return identity;
  throw Object.assign(new Error('cannot read /proc/self/stat'), { code: 'PROC_MISSING', hint: 'mount /proc' });
}

export function livenessOf({ pid, start, boot, namespace }: ProcessIdentity): Liveness {
  const here = place();
  if (boot !== here.boot) return 'dead';
  if (namespace !== here.namespace) return 'elsewhere';
  return processStart(pid) === start ? 'alive' : 'dead';
}

export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, start, boot, namespace } = value as Partial<Record<keyof ProcessIdentity, unknown>>;
  return (
    typeof pid === 'number' &&
    Number.isSafeInteger(pid) &&
    pid > 0 &&
    [start, boot, namespace].every((text) => typeof text === 'string')
  );
}

let known: Pick<ProcessIdentity, 'boot' | 'namespace'> | undefined;

function place(): Pick<ProcessIdentity, 'boot' | 'namespace'> {
  known ??= { boot: bootId(), namespace: pidNamespace() };
  return known;
}
