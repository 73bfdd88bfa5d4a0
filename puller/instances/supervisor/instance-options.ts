// SPDX-License-Identifier: Apache-2.0
import type { Writable } from 'node:stream';
import type { PortForward } from '../../vmm/monitor.ts';
import type { InstanceOptions } from '../instance-options.ts';
import { type InstanceConfig, SHORT_ID } from '../state/config.ts';

/** What an attempt has beside what was asked for. */
export interface AttemptParts extends Pick<InstanceOptions, 'mounts' | 'scratch' | 'signal' | 'onEvent' | 'uuid'> {
  stdout: Writable;
  stderr: Writable;
  kernelLog: Writable;
}

/** The ports of an instance, with one for its health check where none of them leads there. */
export function forwardsOf({ forwards, health }: InstanceConfig): PortForward[] {
  if (health === undefined || forwards.some((forward) => leadsTo(forward, health.port))) return [...forwards];
  return [...forwards, { address: '127.0.0.1', host: 0, guest: health.port, protocol: 'tcp' }];
}

export function leadsTo({ guest, protocol }: PortForward, port: number): boolean {
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
    stdin: 'empty',
    ...parts,
  };
}
