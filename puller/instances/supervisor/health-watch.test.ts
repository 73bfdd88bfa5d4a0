// SPDX-License-Identifier: Apache-2.0
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { HealthCheck } from '../state/config.ts';
import type { Health } from '../state/run-state.ts';
import { networkProbe, nextHealth, reachedAt, watchHealth } from './health-watch.ts';

const CHECK: HealthCheck = {
  ...{ probe: { kind: 'tcp', port: 80 }, intervalMs: 10, timeoutMs: 500, retries: 2, startPeriodMs: 0 },
};
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<{ host: string; port: number }> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test('tcp: a connection that stays is well, one that is closed at once is not', async () => {
  expect(await networkProbe(CHECK, await listening(createServer(() => {})))()).toBeUndefined();
  expect(await networkProbe(CHECK, await listening(createServer((socket) => socket.destroy())))()).toBeTypeOf('string');
  expect(
    await networkProbe(CHECK, await listening(createServer((socket) => socket.end('220 hello'))))(),
  ).toBeUndefined();
});

test('http: the answer counts, and that it comes in time', async () => {
  const at = await listening(
    createHttpServer((request, response) => {
      if (request.url === '/never') return;
      response.statusCode = Number(request.url?.slice(1));
      response.end('x'.repeat(100_000));
    }),
  );
  const probe = (path: string) => networkProbe({ ...CHECK, probe: { kind: 'http', port: 80, path } }, at)();
  expect(await probe('/204')).toBeUndefined();
  expect(await probe('/302')).toBeUndefined();
  expect(await probe('/503')).toBe('the answer is 503');
  expect(await probe('/never')).toBe('no answer in time');
});

test('so many failures in a row make it unhealthy, those at the start do not count', () => {
  const check = { ...CHECK, startPeriodMs: 1_000 };
  const starting: Health = { status: 'starting', failures: 0, detail: '' };
  expect(nextHealth(check, starting, 'x', 500)).toMatchObject({ status: 'starting', failures: 0 });
  const once = nextHealth(check, starting, 'x', 2_000);
  expect(once).toMatchObject({ status: 'starting', failures: 1 });
  expect(nextHealth(check, once, 'x', 2_000)).toMatchObject({ status: 'unhealthy', failures: 2 });
  const well = nextHealth(check, once, undefined, 2_000);
  expect(well).toMatchObject({ status: 'healthy', failures: 0 });
  // Once it was healthy, the time of the start is over.
  expect(nextHealth(check, well, 'x', 500)).toMatchObject({ status: 'healthy', failures: 1 });
});

test('it is watched until the signal', async () => {
  const controller = new AbortController();
  const seen: string[] = [];
  const changed = ({ status }: Health): void => {
    seen.push(status);
    if (seen.length === 3) controller.abort();
  };
  await watchHealth(CHECK, async () => 'wrong', changed, controller.signal);
  expect(seen).toEqual(['starting', 'unhealthy', 'unhealthy']);
});

test('a forward of all addresses is reached by loopback', () => {
  const forward = { host: 8080, guest: 80, protocol: 'tcp' as const };
  expect(reachedAt({ ...forward, address: '0.0.0.0' })).toEqual({ host: '127.0.0.1', port: 8080 });
  expect(reachedAt({ ...forward, address: '::' })).toEqual({ host: '::1', port: 8080 });
  expect(reachedAt({ ...forward, address: '10.1.2.3' })).toEqual({ host: '10.1.2.3', port: 8080 });
});
