// SPDX-License-Identifier: Apache-2.0
// The options of `uk run` and `uk create`, as what an instance is made with.
import type { ExecutionChoice, HealthCheck, NewInstance, RestartPolicy } from '../index.ts';
import type { BootableFlags, FoundImage } from './bootable.ts';
import { CliError } from './errors.ts';
import type { PortForward } from './options.ts';
import type { StorageFlags } from './run-storage.ts';
import { volumeRequests } from './volume-options.ts';

export interface InstanceFlags extends StorageFlags, BootableFlags {
  env?: string[];
  envFile?: string[];
  rm?: boolean;
  name?: string;
  publish?: PortForward[];
  memory?: number;
  cpus?: number;
  hugePages?: 'off' | '2M' | '1G';
  prefault?: boolean;
  entrypoint?: string;
  user?: string;
  workdir?: string;
  hostname?: string;
  accel?: string;
  watchdog?: number;
  cidfile?: string;
  restart?: RestartPolicy;
  /** Milliseconds. */
  ttl?: number;
  stopSignal?: number;
  /** Seconds. */
  stopTimeout?: number;
  healthTcp?: number;
  healthHttp?: { port: number | undefined; path: string };
  healthInterval?: number;
  healthTimeout?: number;
  healthRetries?: number;
  healthStartPeriod?: number;
}

export interface RunFlags extends InstanceFlags {
  detach?: boolean;
  tty?: boolean;
  console?: boolean;
  interactive?: boolean;
}

const STOP_TIMEOUT_S = 10;
const INTERVAL_MS = 30_000;
const TIMEOUT_MS = 5_000;
const RETRIES = 3;

/** What runs. */
export function executionChoice(args: readonly string[], flags: InstanceFlags): ExecutionChoice {
  const rest = args[0] === '--' ? args.slice(1) : args;
  return {
    args: rest.length === 0 ? undefined : rest,
    entrypoint: flags.entrypoint === undefined ? undefined : [flags.entrypoint],
    // As with container engines, what the command line says goes before what files say.
    env: [...(flags.envFile ?? []), ...(flags.env ?? [])],
    user: flags.user,
    workingDir: flags.workdir,
  };
}

/** @throws CliError `USAGE` for what cannot be meant together */
export function newInstance(image: FoundImage, args: readonly string[], flags: InstanceFlags): NewInstance {
  const { kernel, profile, hostname, memory, cpus, hugePages, prefault, ttl } = flags;
  const restart = flags.restart ?? { name: 'no' };
  if (flags.rm && restart.name !== 'no') {
    throw new CliError('USAGE', '--rm and --restart contradict each other', { hint: 'leave one of them out' });
  }
  return {
    image: { name: image.name, descriptor: image.descriptor },
    ...{ kernel, profile, hostname, memory, cpus, hugePages, prefault },
    execution: executionChoice(args, flags),
    accelerator: flags.accel,
    watchdogMs: flags.watchdog,
    forwards: flags.publish ?? [],
    volumes: volumeRequests(flags),
    readOnly: flags.readOnly ?? false,
    scratch: flags.disk,
    stopSignal: flags.stopSignal,
    stopTimeoutMs: (flags.stopTimeout ?? STOP_TIMEOUT_S) * 1_000,
    restart,
    health: healthCheck(flags),
    remove: flags.rm ?? false,
    ttlMs: ttl,
  };
}

function healthCheck(flags: InstanceFlags): HealthCheck | undefined {
  const { healthTcp, healthHttp } = flags;
  const times = {
    intervalMs: flags.healthInterval ?? INTERVAL_MS,
    timeoutMs: flags.healthTimeout ?? TIMEOUT_MS,
    retries: flags.healthRetries ?? RETRIES,
    startPeriodMs: flags.healthStartPeriod ?? 0,
  };
  if (healthTcp !== undefined && healthHttp !== undefined) {
    throw new CliError('USAGE', '--health-tcp and --health-http are two checks, and an instance has one', {
      hint: 'an answer to --health-http proves the connection, too',
    });
  }
  if (healthTcp !== undefined) return { probe: { kind: 'tcp' }, port: healthTcp, ...times };
  if (healthHttp === undefined) return undefined;
  const port = healthHttp.port ?? flags.publish?.find(({ protocol }) => protocol === 'tcp')?.guest;
  if (port === undefined) {
    throw new CliError('USAGE', '--health-http needs a port of the guest', {
      hint: 'write it before the path, as in 8080/healthz, or publish one with -p',
    });
  }
  return { probe: { kind: 'http', path: healthHttp.path }, port, ...times };
}
