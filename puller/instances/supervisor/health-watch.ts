// SPDX-License-Identifier: Apache-2.0
import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { PortForward } from '../../vmm/monitor.ts';
import type { HealthCheck } from '../state/config.ts';
import type { Health } from '../state/run-state.ts';

/** Where this machine reaches a port of the guest. */
export interface Address {
  host: string;
  port: number;
}

/** A forward that listens at all addresses is reached by the loopback one. */
export function reachedAt({ address, host }: PortForward): Address {
  const any: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return { host: any[address] ?? address, port: host };
}

/** The monitor takes connections that the guest then refuses: an open one proves something only after a moment. */
const REFUSED_WITHIN_MS = 250;

/** Looks once. @returns undefined where all is well, else what is wrong */
export type Probe = () => Promise<string | undefined>;

/** A look from outside, at a port of this machine that leads into the guest. */
export function networkProbe({ probe, timeoutMs }: HealthCheck, at: Address): Probe {
  return () => (probe.kind === 'http' ? probeHttp(at, probe.path, timeoutMs) : probeTcp(at, timeoutMs));
}

function probeTcp({ host, port }: Address, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (detail: string | undefined): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(detail);
    };
    const late = setTimeout(() => end('no connection in time'), timeoutMs);
    socket.on('connect', () => setTimeout(() => end(undefined), Math.min(REFUSED_WITHIN_MS, timeoutMs)));
    // A server that speaks first is there.
    socket.on('data', () => end(undefined));
    socket.on('error', (error) => end(error.message));
    socket.on('close', () => end('the connection was refused or closed at once'));
  });
}

function probeHttp({ host, port }: Address, path: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get({ host, port, path, signal, agent: false, headers: { connection: 'close' } }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `the answer is ${statusCode}`);
      request.destroy();
    });
    request.on('error', (error) => resolve(signal.aborted ? 'no answer in time' : error.message));
  });
}

/**
 * Probes again and again, until the signal.
 *
 * @param changed told of each probe's result
 */
export async function watchHealth(
  check: HealthCheck,
  probe: Probe,
  changed: (health: Health) => void,
  signal: AbortSignal,
): Promise<void> {
  let health: Health = { status: 'starting', failures: 0, detail: '' };
  const begin = performance.now();
  while (!signal.aborted) {
    await delay(waitOf(check, health, performance.now() - begin), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const wrong = await probe();
    if (signal.aborted) return;
    health = nextHealth(check, health, wrong, performance.now() - begin);
    changed(health);
  }
}

/** A program that is starting is looked at more often: whoever waits for it should not wait for the interval. */
function waitOf({ intervalMs, startPeriodMs }: HealthCheck, { status }: Health, sinceMs: number): number {
  return status === 'starting' && sinceMs < startPeriodMs ? Math.min(intervalMs, 1_000) : intervalMs;
}

export function nextHealth(
  { retries, startPeriodMs }: HealthCheck,
  { status, failures }: Health,
  wrong: string | undefined,
  sinceMs: number,
): Health {
  if (wrong === undefined) return { status: 'healthy', failures: 0, detail: 'all is well' };
  if (status === 'starting' && sinceMs < startPeriodMs) return { status, failures: 0, detail: wrong };
  const count = failures + 1;
  return { status: count >= retries ? 'unhealthy' : status, failures: count, detail: wrong };
}
