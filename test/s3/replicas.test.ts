// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Digest, digestOf } from '../../image-format/index.ts';
import { type Answer, type Call, call } from '../registry/call.ts';
import { manifestOf, pusher } from '../registry/content.ts';
import { type Replica, startReplica } from './replica.ts';
import { type RoundRobin, roundRobin } from './round-robin.ts';
import { freshPrefix } from './server.ts';

const REPLICAS = 3;
const MIB = 2 ** 20;

let storage: { driver: 's3' } & ReturnType<typeof freshPrefix>;
const replicas: Replica[] = [];
let balancer: RoundRobin;
const send = (what: Call) => call(balancer.url, what);

beforeAll(async () => {
  storage = { driver: 's3', ...freshPrefix({ partSize: 5 * MIB }) };
  replicas.push(...(await Promise.all(Array.from({ length: REPLICAS }, () => startReplica(storage)))));
  balancer = await roundRobin(() => replicas.map(({ url }) => url));
});
afterAll(async () => {
  await balancer.close();
  for (const replica of replicas) await replica.kill('SIGTERM');
});

const chunk = (bytes: Buffer, start: number, end: number) => ({
  body: bytes.subarray(start, end),
  headers: { 'Content-Range': `${start}-${end - 1}` },
});
/** Asked of every replica: none knows more than another one. */
const expectBlob = async (repository: string, bytes: Buffer) => {
  for (const { url } of replicas) {
    const { status, body } = await call(url, { path: `/v2/${repository}/blobs/${digestOf(bytes)}` });
    expect([status, body.equals(bytes)]).toEqual([200, true]);
  }
};

describe('three replicas behind a balancer, every request on the next one', () => {
  test('chunks, of any size, closed by a PUT with and without a body', async () => {
    for (const [step, size] of [
      [1000, 3500],
      [1_500_000, 9_000_000],
      [5 * MIB, 21 * MIB],
      [7 * MIB + 1, 16 * MIB],
    ] as const) {
      for (const last of ['PATCH', 'PUT']) {
        const bytes = randomBytes(size);
        const at = await pusher(balancer.url).upload('hop/chunks');
        for (let start = 0; start < size; start += step) {
          const end = Math.min(start + step, size);
          const closes = last === 'PUT' && end === size;
          const path = closes ? `${at}?digest=${digestOf(bytes)}` : at;
          const { status } = await send({ method: closes ? 'PUT' : 'PATCH', path, ...chunk(bytes, start, end) });
          expect(status).toBe(closes ? 201 : 202);
          if (!closes) expect((await send({ path: at })).headers.range).toBe(`0-${end - 1}`);
        }
        if (last === 'PATCH') {
          expect((await send({ method: 'PUT', path: `${at}?digest=${digestOf(bytes)}` })).status).toBe(201);
        }
        await expectBlob('hop/chunks', bytes);
      }
    }
  });

  test('streamed, monolithic, and in one request', async () => {
    for (const size of [0, 10, 6 * MIB, 17 * MIB]) {
      const bytes = randomBytes(size);
      const digest = digestOf(bytes);
      const streamed = await pusher(balancer.url).upload('hop/streamed');
      const pieces = [bytes.subarray(0, size / 3), bytes.subarray(size / 3)];
      expect((await send({ method: 'PATCH', path: streamed, chunks: pieces })).status).toBe(202);
      expect((await send({ method: 'PUT', path: `${streamed}?digest=${digest}` })).status).toBe(201);
      const monolithic = await pusher(balancer.url).upload('hop/monolithic');
      expect((await send({ method: 'PUT', path: `${monolithic}?digest=${digest}`, body: bytes })).status).toBe(201);
      await pusher(balancer.url).blob('hop/one', bytes);
      for (const way of ['streamed', 'monolithic', 'one']) await expectBlob(`hop/${way}`, bytes);
    }
  });

  test('a body that breaks off is gone on with elsewhere, behind what came', async () => {
    const bytes = randomBytes(14 * MIB);
    const at = await pusher(balancer.url).upload('hop/resumed');
    let size = 0;
    for (const until of [7 * MIB, 12 * MIB]) {
      await brokenPatch(at, bytes.subarray(size, until), until - size + 1000);
      size = await expectSome(at, size);
      expect(size).toBeLessThanOrEqual(until);
    }
    const path = `${at}?digest=${digestOf(bytes)}`;
    expect((await send({ method: 'PUT', path, ...chunk(bytes, size, bytes.length) })).status).toBe(201);
    await expectBlob('hop/resumed', bytes);
  });

  test('of two that come for the same place one is taken', async () => {
    for (let round = 0; round < 5; round += 1) {
      const bodies = [randomBytes(400_000), randomBytes(400_000)];
      const at = await pusher(balancer.url).upload('hop/race');
      const answers = await Promise.all(
        bodies.map((body) => send({ method: 'PATCH', path: at, body, headers: { 'Content-Range': '0-399999' } })),
      );
      const taken = answers.map(({ status }) => status);
      expect(taken.toSorted()).toEqual([202, 416]);
      const winner = bodies[taken.indexOf(202)] ?? Buffer.alloc(0);
      expect((await send({ method: 'PUT', path: `${at}?digest=${digestOf(winner)}` })).status).toBe(201);
      await expectBlob('hop/race', winner);
    }
  });

  test('what one tags or deletes the others see at once', async () => {
    const push = pusher(balancer.url);
    for (let round = 0; round < 6; round += 1) {
      const digest = await push.image('hop/tags', 'latest', `layer ${round}`);
      for (const { url } of replicas) {
        const { headers } = await call(url, { path: '/v2/hop/tags/manifests/latest' });
        expect(headers['docker-content-digest']).toBe(digest);
      }
      expect((await send({ method: 'DELETE', path: '/v2/hop/tags/manifests/latest' })).status).toBe(202);
      for (const { url } of replicas) {
        expect((await call(url, { path: '/v2/hop/tags/manifests/latest' })).status).toBe(404);
        expect(JSON.parse(`${(await call(url, { path: '/v2/hop/tags/tags/list' })).body}`).tags).toEqual([]);
      }
    }
  });

  /** Sends a PATCH that announces more than it brings, and hangs up. */
  async function brokenPatch(path: string, body: Buffer, announced: number): Promise<void> {
    const patch = request({
      port: balancer.port,
      method: 'PATCH',
      path,
      agent: false,
      headers: { 'Content-Length': announced },
    });
    patch.on('error', () => undefined);
    await new Promise((resolve) => patch.write(body, resolve));
    const closed = new Promise((resolve) => patch.on('close', resolve));
    patch.destroy();
    await closed;
  }

  /** Until the replica has written down what came. */
  async function expectSome(path: string, before: number): Promise<number> {
    let size = 0;
    await expect
      .poll(
        async () => {
          size = Number((await send({ path })).headers.range?.split('-')[1]) + 1;
          return size;
        },
        { timeout: 30_000 },
      )
      .toBeGreaterThan(Math.max(before, 1));
    return size;
  }
});

describe('replicas that are killed under load, again and again', () => {
  interface Acknowledged {
    repository: string;
    tag: string;
    manifest: Digest;
    blob: Buffer;
  }

  test('lose nothing that was acknowledged, and clients that try again get through', { timeout: 300_000 }, async () => {
    const acknowledged: Acknowledged[] = [];
    let over = false;
    const pushing = Array.from({ length: 12 }, async (_, at) => {
      for (let round = 0; !over; round += 1) {
        const blob = randomBytes([300, 40_000, 700_000, 6 * MIB][(at + round) % 4] ?? 0);
        const [repository, tag] = [`kill/${at % 3}`, `t${at}-${round}`];
        const manifest = await untilTaken(() => pushImage(repository, tag, blob, at % 2 === 0));
        acknowledged.push({ repository, tag, manifest, blob });
      }
    });
    const all = Promise.all(pushing);
    for (let kills = 0; kills < 6; kills += 1) {
      const goal = acknowledged.length + 4;
      await expect.poll(() => acknowledged.length, { timeout: 60_000, interval: 10 }).toBeGreaterThan(goal);
      const victim = replicas[kills % REPLICAS];
      await victim?.kill();
      replicas[kills % REPLICAS] = await startReplica(storage);
    }
    over = true;
    await all;
    expect(acknowledged.length).toBeGreaterThan(30);

    for (const { repository, tag, manifest, blob } of acknowledged) {
      const got = await send({ path: `/v2/${repository}/manifests/${tag}` });
      expect([got.status, digestOf(got.body)]).toEqual([200, manifest]);
      const { body } = await send({ path: `/v2/${repository}/blobs/${digestOf(blob)}` });
      expect(body.equals(blob)).toBe(true);
    }
    // Nothing half is visible: what is listed is there, with all that it names.
    for (const repository of ['kill/0', 'kill/1', 'kill/2']) {
      const { tags } = JSON.parse(`${(await send({ path: `/v2/${repository}/tags/list` })).body}`) as {
        tags: string[];
      };
      expect(tags.length).toBeGreaterThan(0);
      for (const tag of tags) {
        const { status, body } = await send({ path: `/v2/${repository}/manifests/${tag}` });
        expect(status).toBe(200);
        const { config, layers } = JSON.parse(`${body}`) as Record<'config', { digest: string }> & {
          layers: { digest: string }[];
        };
        for (const { digest } of [config, ...layers]) {
          expect((await send({ method: 'HEAD', path: `/v2/${repository}/blobs/${digest}` })).status).toBe(200);
        }
      }
    }
  });

  /** An image, its layer in chunks through a session, or in one request. @throws where a replica died on the way */
  async function pushImage(repository: string, tag: string, layer: Buffer, inChunks: boolean): Promise<Digest> {
    const push = pusher(balancer.url);
    await push.blob(repository, '{}');
    if (inChunks) await pushInChunks(repository, layer);
    else await push.blob(repository, layer);
    return push.manifest(repository, tag, manifestOf([layer]));
  }

  /** As a client does that goes on where the registry says that it stands. */
  async function pushInChunks(repository: string, layer: Buffer): Promise<void> {
    const at = await pusher(balancer.url).upload(repository);
    const step = Math.ceil(layer.length / 3);
    for (let size = 0; size < layer.length; ) {
      const end = Math.min(layer.length, size + step);
      const answer = await untilAnswered({ method: 'PATCH', path: at, ...chunk(layer, size, end) });
      if (answer.status === 202) size = end;
      else if (answer.status === 416) size = Number(answer.headers.range?.split('-')[1]) + 1;
      else throw new Error(`PATCH: ${answer.status} ${answer.body}`);
      // "0-0" is both nothing and one byte.
      if (size === 1 && step > 1) size = 0;
    }
    const answer = await untilAnswered({ method: 'PUT', path: `${at}?digest=${digestOf(layer)}` });
    if (answer.status !== 201) throw new Error(`PUT: ${answer.status} ${answer.body}`);
  }

  /** The same request again, as long as it dies with its replica. */
  async function untilAnswered(what: Call): Promise<Answer> {
    for (;;) {
      const answer = await send(what).catch(() => undefined);
      if (answer !== undefined && answer.status < 500) return answer;
    }
  }

  async function untilTaken<T>(push: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await push();
      } catch (error) {
        if (attempt === 30) throw error;
      }
    }
  }
});
