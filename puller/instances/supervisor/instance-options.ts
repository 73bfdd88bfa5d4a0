// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from 'node:stream';
import type { PortForward } from '../../vmm/monitor.ts';
import type { InstanceOptions } from '../instance-options.ts';
import { type HealthCheck, type InstanceConfig, SHORT_ID } from '../state/config.ts';

/** What an attempt has beside what was asked for. */
export interface AttemptParts extends Pick<InstanceOptions, 'mounts' | 'scratch' | 'signal' | 'onEvent' | 'uuid'> {
  stdin: Readable | undefined;
  stdout: Writable;
  stderr: Writable;
  kernelLog: Writable;
}

/** A terminal that nobody has attached to yet. */
const TERMINAL = { rows: 24, columns: 80 };

/** The port of the guest that a health check asks; undefined where it asks otherwise. */
export function checkedPort(health: HealthCheck | undefined): number | undefined {
  return health === undefined || health.probe.kind === 'command' ? undefined : health.probe.port;
}

/** The ports of an instance, with one for its health check where none of them leads there. */
export function forwardsOf({ forwards, health }: InstanceConfig): PortForward[] {
  const port = checkedPort(health);
  if (port === undefined || forwards.some((forward) => leadsTo(forward, port))) return [...forwards];
  return [...forwards, { address: '127.0.0.1', host: 0, guest: port, protocol: 'tcp' }];
}

export function leadsTo({ guest, protocol }: PortForward, port: number | undefined): boolean {
  return guest === port && protocol === 'tcp';
}

/** What a run of an instance is started with. */
export function instanceOptions(config: InstanceConfig, parts: AttemptParts): InstanceOptions {
  const { execution, memory, cpus, hugePages, prefault, accelerator, watchdogMs, readOnly } = config;
  return {
    ...execution,
    ...{ memory, cpus, hugePages, prefault, accelerator, watchdogMs, readOnly },
    hostname: config.hostname ?? config.id.slice(0, SHORT_ID),
    forwards: forwardsOf(config),
    terminal: config.terminal ? TERMINAL : undefined,
    agent: config.agent ?? true,
    ...parts,
    stdin: parts.stdin ?? 'empty',
  };
}
