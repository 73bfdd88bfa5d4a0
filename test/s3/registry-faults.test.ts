// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from '../registry/call.ts';
import { errorCode, manifestOf, pusher } from '../registry/content.ts';
import { type Fault, type FaultProxy, faultProxy } from './fault-proxy.ts';
import { freshPrefix, testServer } from './server.ts';

let proxy: FaultProxy;
let registry: RunningRegistry;
const send = (what: Call) => call(registry.url, what);
const secrets = () => testServer().secretAccessKey;

beforeAll(async () => {
  proxy = await faultProxy(testServer().endpoint);
  const storage = { driver: 's3' as const, ...freshPrefix({ endpoint: proxy.endpoint, timeoutMs: 500, attempts: 3 }) };
  registry = await startRegistry({ storage });
});
afterEach(() => {
  proxy.fault = () => undefined;
});
afterAll(async () => {
  await registry.stop();
  await proxy.close();
});

/** What every kind of request answers while the store does not. */
async function expectRefusals(repository: string, reason: RegExp): Promise<void> {
  const body = randomBytes(1000);
  const requests: Call[] = [
    { path: `/v2/${repository}/manifests/t` },
    { path: `/v2/${repository}/tags/list` },
    { path: '/v2/_catalog' },
    { path: `/v2/${repository}/blobs/${digestOf('layer')}` },
    { method: 'POST', path: `/v2/${repository}/blobs/uploads/` },
    { method: 'POST', path: `/v2/${repository}/blobs/uploads/?digest=${digestOf(body)}`, body },
    { method: 'PUT', path: `/v2/${repository}/manifests/u`, body: manifestOf([]) },
    { method: 'DELETE', path: `/v2/${repository}/manifests/t` },
  ];
  const type = { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' };
  const answers = await Promise.all(
    requests.map((one) => send(one.method === 'PUT' ? { ...one, headers: type } : one)),
  );
  for (const answer of answers) {
    expect([answer.status, errorCode(answer)]).toEqual([503, 'STORAGE_UNAVAILABLE']);
    expect(answer.headers['retry-after']).toBeDefined();
    expect(answer.body.toString()).toMatch(reason);
    expect(answer.body.toString()).not.toContain(secrets());
  }
}

async function expectRecovery(repository: string): Promise<void> {
  expect((await send({ path: `/v2/${repository}/manifests/t` })).status).toBe(200);
  const image = await pusher(registry.url).image(repository, 'after', `after ${repository}`);
  expect((await send({ path: `/v2/${repository}/manifests/after` })).headers['docker-content-digest']).toBe(image);
}

describe('a registry whose store', () => {
  const cases: [string, string, Fault, RegExp][] = [
    ['hangs', 'hangs', 'hang', /no answer within 500 ms/],
    ['cuts every connection', 'cuts', 'cut', /ECONNRESET|socket hang up/],
    ['wants it slower', 'slows', { status: 503, code: 'SlowDown' }, /SlowDown/],
    ['is broken', 'broken', { status: 500, code: 'InternalError' }, /InternalError/],
    [
      'does not take the secret any more',
      'secret',
      { status: 403, code: 'SignatureDoesNotMatch' },
      /secret key is wrong/,
    ],
    ['lost its bucket', 'bucket', { status: 404, code: 'NoSuchBucket' }, /NoSuchBucket/],
  ];
  for (const [name, repository, fault, reason] of cases) {
    test(`${name}: 503 with the reason, and over when that is over`, async () => {
      await pusher(registry.url).image(repository, 't', 'layer');
      proxy.fault = () => fault;
      await expectRefusals(repository, reason);
      proxy.fault = () => undefined;
      await expectRecovery(repository);
    });
  }

  test('is away: 503 with the reason, and over when it is back', async () => {
    await pusher(registry.url).image('away', 't', 'layer');
    await proxy.away();
    await expectRefusals('away', /ECONNREFUSED/);
    await proxy.back();
    await expectRecovery('away');
  });

  test('is full: 507 with the reason, and over when there is room', async () => {
    await pusher(registry.url).image('full', 't', 'layer');
    proxy.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'QuotaExceeded' } : undefined);
    const body = randomBytes(1000);
    const push = { method: 'POST', path: `/v2/full/blobs/uploads/?digest=${digestOf(body)}`, body };
    const answer = await send(push);
    expect([answer.status, errorCode(answer)]).toEqual([507, 'STORAGE_FULL']);
    expect((await send({ path: '/v2/full/manifests/t' })).status).toBe(200);
    proxy.fault = () => undefined;
    expect((await send(push)).status).toBe(201);
  });

  test('cannot be reached at its start, or refuses the key: it does not start, and says why', async () => {
    const start = (more: object) =>
      createRegistry({ storage: { driver: 's3', ...freshPrefix({ timeoutMs: 500, attempts: 2, ...more }) } });
    await expect(start({ endpoint: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(start({ secretAccessKey: 'wrong' })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.not.stringContaining('wrong'),
    });
  });

  test('breaks in the middle of blobs: readers get them whole', async () => {
    const bytes = randomBytes(9_000_000);
    const digest = await pusher(registry.url).blob('cutting', bytes);
    let at = 0;
    proxy.fault = ({ method, url = '' }) =>
      method === 'GET' && url.includes('/objects/data/') ? { cutAnswer: 1_000_000 + 7 * at++ } : undefined;
    const { body } = await send({ path: `/v2/cutting/blobs/${digest}` });
    expect(body.equals(bytes)).toBe(true);
    expect(at).toBeGreaterThan(5);
  });

  test('fails now and then, in every way: what is acknowledged is right, and clients that try again get through', {
    timeout: 120_000,
  }, async () => {
    const faults: Fault[] = [
      'cut',
      'lose-answer',
      'corrupt-request',
      { slow: 200 },
      { status: 503, code: 'SlowDown' },
      { status: 500, code: 'InternalError' },
      { cutAnswer: 100 },
    ];
    let count = 0;
    // Every ninth request, so that each kind meets each kind of request sooner or later.
    proxy.fault = () => (++count % 9 === 0 ? faults[(count / 9) % faults.length] : undefined);
    proxy.faults = 0;
    const push = async (at: number) => {
      const layer = randomBytes(at % 3 === 0 ? 6_000_000 : 20_000);
      for (let attempt = 1; ; attempt += 1) {
        try {
          await pusher(registry.url).blob('chaos', '{}');
          await pusher(registry.url).blob('chaos', layer);
          return { layer, manifest: await pusher(registry.url).manifest('chaos', `t${at}`, manifestOf([layer])) };
        } catch (error) {
          if (attempt === 10) throw error;
        }
      }
    };
    const pushed = await Promise.all(Array.from({ length: 24 }, (_, at) => push(at)));
    expect(proxy.faults).toBeGreaterThan(40);
    proxy.fault = () => undefined;
    for (const [at, { layer, manifest }] of pushed.entries()) {
      expect(digestOf((await send({ path: `/v2/chaos/manifests/t${at}` })).body)).toBe(manifest);
      expect((await send({ path: `/v2/chaos/blobs/${digestOf(layer)}` })).body.equals(layer)).toBe(true);
    }
    const { tags } = JSON.parse(`${(await send({ path: '/v2/chaos/tags/list' })).body}`);
    expect(tags).toHaveLength(24);
  });
});
