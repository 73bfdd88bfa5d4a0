// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../../../image-format/index.ts';
import type { PortForward } from '../../vmm/monitor.ts';
import type { VolumeRequest } from '../../volumes/request.ts';
import type { ExecutionChoice } from '../execution.ts';

/** When a program that has ended is started again. */
export interface RestartPolicy {
  /** `always` and `unless-stopped` differ after a restart of the machine: see docs/instances.md. */
  name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** For `on-failure`: after so many restarts it stays ended. Default: no limit. */
  max?: number | undefined;
}

/** How it is found out whether a program does its work. */
export interface HealthCheck {
  /** A connection that the guest keeps open, an answer below 400 to GET, or a command in the guest that exits with 0. */
  probe:
    | { kind: 'tcp'; port: number }
    | { kind: 'http'; port: number; path: string }
    | { kind: 'command'; args: string[] };
  intervalMs: number;
  /** For one probe. */
  timeoutMs: number;
  /** Failures in a row until the program counts as unhealthy. */
  retries: number;
  /** Failures in this time after the start do not count. */
  startPeriodMs: number;
}

/** What was asked for as an instance was made. It is written once; only the name can change, and is kept beside it. */
export interface InstanceConfig {
  version: 1;
  /** 64 hexadecimal digits. */
  id: string;
  /** RFC 3339, UTC. */
  created: string;
  /** The image as it was named, and what that stood for. */
  image: { name: string; descriptor: Descriptor };
  /** Kernel image for a plain container image. */
  kernel?: string | undefined;
  profile?: string | undefined;
  execution: ExecutionChoice;
  /** Whether the program has a terminal. Default: no. */
  terminal?: boolean | undefined;
  /** Whether its standard input is open, for whoever attaches. Default: it is empty. */
  openStdin?: boolean | undefined;
  /** Whether the guest's agent may be used. Default: yes. */
  agent?: boolean | undefined;
  hostname?: string | undefined;
  /** Bytes. */
  memory?: number | undefined;
  cpus?: number | undefined;
  hugePages?: 'off' | '2M' | '1G' | undefined;
  prefault?: boolean | undefined;
  accelerator?: string | undefined;
  watchdogMs?: number | undefined;
  forwards: readonly PortForward[];
  volumes: readonly VolumeRequest[];
  readOnly: boolean;
  /** Bytes of a disk for what is written to the root. */
  scratch?: number | undefined;
  /** Number of the signal that asks the program to end. Default: the image's, else SIGTERM. */
  stopSignal?: number | undefined;
  /** How long the program may take to end. */
  stopTimeoutMs: number;
  restart: RestartPolicy;
  health?: HealthCheck | undefined;
  /** Whether the image's own health check is left out. */
  noHealthcheck?: boolean | undefined;
  /** Whether it is removed when it has ended. */
  remove: boolean;
  /** So long after a start it is stopped. */
  ttlMs?: number | undefined;
}

export const STOP_TIMEOUT_MS = 10_000;

export function isConfig(value: unknown): value is InstanceConfig {
  if (typeof value !== 'object' || value === null) return false;
  const { version, id, created, image, execution, forwards, volumes, restart, stopTimeoutMs } =
    value as Partial<InstanceConfig>;
  return (
    version === 1 &&
    isInstanceId(id) &&
    typeof created === 'string' &&
    typeof image?.name === 'string' &&
    typeof image.descriptor?.digest === 'string' &&
    typeof execution === 'object' &&
    Array.isArray(forwards) &&
    Array.isArray(volumes) &&
    typeof restart?.name === 'string' &&
    typeof stopTimeoutMs === 'number'
  );
}

export function isInstanceId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** Length of an id as lists show it. */
export const SHORT_ID = 12;
