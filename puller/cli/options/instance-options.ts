// SPDX-License-Identifier: Apache-2.0
// The options of `uk run` and `uk create`, as what an instance is made with.
import type { ExecutionChoice, HealthCheck, NewInstance, RestartPolicy } from '../../index.ts';
import type { BootableFlags, FoundImage } from '../bootable.ts';
import { CliError } from '../errors.ts';
import type { StorageFlags } from '../run-storage.ts';
import type { PortForward } from './values.ts';
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
  tty?: boolean;
  interactive?: boolean;
  restart?: RestartPolicy;
  /** Milliseconds. */
  ttl?: number;
  stopSignal?: number;
  /** Seconds. */
  stopTimeout?: number;
  agent?: boolean;
  healthcheck?: boolean;
  healthCmd?: string;
  healthTcp?: number;
  healthHttp?: { port: number | undefined; path: string };
  healthInterval?: number;
  healthTimeout?: number;
  healthRetries?: number;
  healthStartPeriod?: number;
}

export interface RunFlags extends InstanceFlags {
  detach?: boolean;
  console?: boolean;
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
    terminal: flags.tty,
    openStdin: flags.interactive,
    agent: flags.agent === false ? false : undefined,
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
    noHealthcheck: flags.healthcheck === false ? true : undefined,
    remove: flags.rm ?? false,
    ttlMs: ttl,
  };
}

/** @throws CliError `USAGE` */
function healthCheck(flags: InstanceFlags): HealthCheck | undefined {
  const given = [flags.healthCmd, flags.healthTcp, flags.healthHttp].filter((value) => value !== undefined);
  if (flags.healthcheck === false && given.length > 0) {
    throw new CliError('USAGE', '--no-healthcheck contradicts the check that is asked for', { hint: 'leave one out' });
  }
  if (given.length > 1) {
    throw new CliError('USAGE', '--health-cmd, --health-tcp and --health-http exclude each other', {
      hint: 'an instance has one check; an answer to --health-http proves the connection, too',
    });
  }
  const probe = healthProbe(flags);
  if (probe === undefined) return undefined;
  return {
    probe,
    intervalMs: flags.healthInterval ?? INTERVAL_MS,
    timeoutMs: flags.healthTimeout ?? TIMEOUT_MS,
    retries: flags.healthRetries ?? RETRIES,
    startPeriodMs: flags.healthStartPeriod ?? 0,
  };
}

function healthProbe({
  agent,
  healthCmd,
  healthTcp,
  healthHttp,
  publish,
}: InstanceFlags): HealthCheck['probe'] | undefined {
  if (healthCmd !== undefined) {
    if (agent === false) {
      throw new CliError('USAGE', '--health-cmd needs the agent that --no-agent leaves out', { hint: 'leave one out' });
    }
    return { kind: 'command', args: ['/bin/sh', '-c', healthCmd] };
  }
  if (healthTcp !== undefined) return { kind: 'tcp', port: healthTcp };
  if (healthHttp === undefined) return undefined;
  const port = healthHttp.port ?? publish?.find(({ protocol }) => protocol === 'tcp')?.guest;
  if (port === undefined) {
    throw new CliError('USAGE', '--health-http needs a port of the guest', {
      hint: 'write it before the path, as in 8080/healthz, or publish one with -p',
    });
  }
  return { kind: 'http', port, path: healthHttp.path };
}
