// SPDX-License-Identifier: Apache-2.0
// A short run of `npm run fuzz:registry`, the same each time.
import { expect, test } from 'vitest';
import { call } from './call.ts';
import { fuzz } from './fuzz/fuzz.ts';
import { startGoDecoder } from './go-decoder.ts';
import { useServers } from './server-process.ts';

const SEED = 20_261_124;

const { serve, workersOf } = useServers();

test(`no request at random, whole or torn, brings a 5xx, a crash, or an answer that is none (seed ${SEED})`, {
  timeout: 120_000,
}, async () => {
  const server = await serve('--workers', '2', '--log-level', 'error', '--set', 'connections.idle=2s');
  const workers = workersOf(server.pid);
  const started = startGoDecoder();
  const decoder = typeof started === 'string' ? undefined : started;
  const { requests, manifests, taken } = await fuzz(server.url, { seed: SEED, runs: 600, decoder });
  decoder?.close();
  expect(requests).toBeGreaterThan(1000);
  expect(manifests).toBeGreaterThan(500);
  // Some of both, or it would try nothing.
  expect(taken).toBeGreaterThan(30);
  expect(taken).toBeLessThan(manifests - 100);
  expect(workersOf(server.pid)).toEqual(workers);
  expect((await call(server.url, { path: '/v2/' })).status).toBe(200);
  expect(server.log()).toBe('');
});
