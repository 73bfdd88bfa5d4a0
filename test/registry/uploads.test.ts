// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from './call.ts';
import { errorCode, pusher } from './content.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const upload = (repository = 'up/loads') => pusher(registry.url).upload(repository);

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  await registry.stop();
});

const wrong = digestOf('something else');

for (const algorithm of ['sha256', 'sha512'] as const) {
  describe(`uploads closed by ${algorithm}`, () => {
    const bytes = randomBytes(1_300_000);
    const digest = digestOf(bytes, algorithm);
    const chunk = (start: number, end: number) => ({
      body: bytes.subarray(start, end),
      headers: { 'Content-Range': `${start}-${end - 1}` },
    });
    const stored = async (repository = 'up/loads') => {
      const { body } = await send({ path: `/v2/${repository}/blobs/${digest}` });
      return body.equals(bytes);
    };

    test('POST alone', async () => {
      const path = `/v2/post/blobs/uploads/?digest=${digest}`;
      const answer = await send({ method: 'POST', path, body: bytes });
      expect(answer.status).toBe(201);
      expect(answer.headers.location).toBe(`/v2/post/blobs/${digest}`);
      expect(answer.headers['docker-content-digest']).toBe(digest);
      expect(await stored('post')).toBe(true);
    });

    test('POST, then PUT with everything', async () => {
      const at = await upload('put');
      const answer = await send({ method: 'PUT', path: `${at}?digest=${digest}`, body: bytes });
      expect(answer.status).toBe(201);
      expect(answer.headers.location).toBe(`/v2/put/blobs/${digest}`);
      expect(await stored('put')).toBe(true);
      expect((await send({ path: at })).status).toBe(404);
    });

    test('POST, a streamed PATCH, an empty PUT', async () => {
      const at = await upload('streamed');
      const pieces = [bytes.subarray(0, 10), bytes.subarray(10, 700_000), bytes.subarray(700_000)];
      const patched = await send({ method: 'PATCH', path: at, chunks: pieces });
      expect(patched.status).toBe(202);
      expect(patched.headers.range).toBe(`0-${bytes.length - 1}`);
      const closed = await send({ method: 'PUT', path: `${patched.headers.location}?digest=${digest}`, body: '' });
      expect(closed.status).toBe(201);
      expect(await stored('streamed')).toBe(true);
    });

    for (const last of ['PATCH', 'PUT'] as const) {
      test(`chunks, the last one by ${last}`, async () => {
        const repository = `chunks-${last.toLowerCase()}`;
        let at = await upload(repository);
        for (const [start, end] of [
          [0, 1024],
          [1024, 500_000],
        ] as const) {
          const { status, headers } = await send({ method: 'PATCH', path: at, ...chunk(start, end) });
          expect(status).toBe(202);
          expect(headers.range).toBe(`0-${end - 1}`);
          at = headers.location ?? '';
        }
        const rest = chunk(500_000, bytes.length);
        if (last === 'PATCH') expect((await send({ method: 'PATCH', path: at, ...rest })).status).toBe(202);
        const closing = last === 'PUT' ? rest : { body: '' };
        expect((await send({ method: 'PUT', path: `${at}?digest=${digest}`, ...closing })).status).toBe(201);
        expect(await stored(repository)).toBe(true);
      });
    }

    test('a chunk out of order is 416, by PATCH and by PUT, and the upload goes on', async () => {
      const at = await upload('order');
      await send({ method: 'PATCH', path: at, ...chunk(0, 1000) });
      for (const request of [
        { method: 'PATCH', path: at, ...chunk(2000, 3000) },
        { method: 'PATCH', path: at, ...chunk(0, 1000) },
        { method: 'PUT', path: `${at}?digest=${digest}`, ...chunk(2000, bytes.length) },
      ]) {
        const answer = await send(request);
        expect(answer.status).toBe(416);
        expect(answer.headers).toMatchObject({ range: '0-999', location: at });
        const state = await send({ path: at });
        expect(state.status).toBe(204);
        expect(state.headers).toMatchObject({ range: '0-999', location: at });
      }
      expect((await send({ method: 'PUT', path: `${at}?digest=${digest}`, ...chunk(1000, bytes.length) })).status).toBe(
        201,
      );
      expect(await stored('order')).toBe(true);
    });

    test('the hint of the algorithm is only a hint', async () => {
      for (const hint of ['sha256', 'sha512', 'md5', '']) {
        const path = `/v2/hint/blobs/uploads/?digest-algorithm=${hint}`;
        const { headers } = await send({ method: 'POST', path });
        const at = headers.location ?? '';
        await send({ method: 'PATCH', path: at, ...chunk(0, 600_000) });
        const closing = { method: 'PUT', path: `${at}?digest=${digest}`, ...chunk(600_000, bytes.length) };
        expect((await send(closing)).status).toBe(201);
        expect(await stored('hint')).toBe(true);
        await send({ method: 'DELETE', path: `/v2/hint/blobs/${digest}` });
      }
    });

    test('bytes that are not what the digest says are 400 by every way, and nothing is stored', async () => {
      const lie = digestOf(`not these ${algorithm} bytes`, algorithm);
      const patched = await upload('lies');
      await send({ method: 'PATCH', path: patched, ...chunk(0, 1000) });
      for (const request of [
        { method: 'POST', path: `/v2/lies/blobs/uploads/?digest=${lie}`, body: bytes },
        { method: 'PUT', path: `${await upload('lies')}?digest=${lie}`, body: bytes },
        { method: 'PUT', path: `${patched}?digest=${lie}`, ...chunk(1000, 2000) },
      ]) {
        const answer = await send(request);
        expect([answer.status, errorCode(answer)]).toEqual([400, 'DIGEST_INVALID']);
      }
      expect((await send({ method: 'HEAD', path: `/v2/lies/blobs/${lie}` })).status).toBe(404);
    });
  });
}

describe('upload sessions', () => {
  test('DELETE is 204, then everything is 404', async () => {
    const at = await upload();
    await send({ method: 'PATCH', path: at, body: 'some bytes' });
    expect((await send({ method: 'DELETE', path: at })).status).toBe(204);
    for (const method of ['GET', 'DELETE', 'PATCH', 'PUT']) {
      const answer = await send({ method, path: `${at}?digest=${wrong}` });
      expect([answer.status, errorCode(answer)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    }
    expect(await registry.unfinished()).toEqual([]);
  });

  test('belong to their repository', async () => {
    const at = await upload('mine');
    expect((await send({ path: at.replace('/mine/', '/yours/') })).status).toBe(404);
    expect((await send({ path: at })).status).toBe(204);
  });

  for (const id of ['unknown', '..', '%2e%2e', '..%2f..%2fx', 'a%00b', 'x'.repeat(500), '%', '%ff']) {
    test(`called ${id.slice(0, 20)} are unknown`, async () => {
      const { status } = await send({ path: `/v2/up/loads/blobs/uploads/${id}` });
      expect([400, 404]).toContain(status);
    });
  }

  for (const digest of [
    '',
    'sha256',
    'sha256:',
    'sha256:zz',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    `sha384:${'a'.repeat(96)}`,
    `sha512:${'a'.repeat(64)}`,
    `sha256:${'A'.repeat(64)}`,
  ]) {
    test(`closed with ${JSON.stringify(digest)} are 400`, async () => {
      const at = await upload();
      const answer = await send({ method: 'PUT', path: `${at}?digest=${digest}`, body: 'x' });
      expect([answer.status, errorCode(answer)]).toEqual([400, 'DIGEST_INVALID']);
      expect((await send({ path: at })).status).toBe(204);
      if (digest === '') return;
      const whole = await send({ method: 'POST', path: `/v2/up/loads/blobs/uploads/?digest=${digest}`, body: 'x' });
      expect([whole.status, errorCode(whole)]).toEqual([400, 'DIGEST_INVALID']);
    });
  }

  for (const range of ['x', '5', '-5', '9-3', 'bytes', '0-99999999999999999999']) {
    test(`Content-Range: ${range} is 400`, async () => {
      const at = await upload();
      const answer = await send({ method: 'PATCH', path: at, body: 'abc', headers: { 'Content-Range': range } });
      expect(answer.status).toBe(400);
    });
  }

  test('a Content-Range that is not as long as its body is 400, with a length and without, and adds nothing', async () => {
    const at = await upload();
    await send({ method: 'PATCH', path: at, body: 'first ', headers: { 'Content-Range': '0-5' } });
    for (const [end, more] of [
      ['6-7', { body: 'second' }],
      ['6-20', { body: 'second' }],
      ['6-7', { chunks: ['sec', 'ond'] }],
      ['6-20', { chunks: ['sec', 'ond'] }],
    ] as const) {
      const { status } = await send({ method: 'PATCH', path: at, headers: { 'Content-Range': end }, ...more });
      expect(status).toBe(400);
      expect((await send({ path: at })).headers.range).toBe('0-5');
    }
    const digest = digestOf('first second');
    const closing = { body: 'second', headers: { 'Content-Range': '6-11' } };
    expect((await send({ method: 'PUT', path: `${at}?digest=${digest}`, ...closing })).status).toBe(201);
  });

  test('a body that breaks off leaves what came, and the client goes on behind it', async () => {
    const bytes = randomBytes(900_000);
    const at = await upload('broken');
    const { port } = new URL(registry.url);
    const patch = request({
      port,
      method: 'PATCH',
      path: at,
      headers: { 'Content-Length': bytes.length },
      agent: false,
    });
    patch.on('error', () => undefined);
    const closed = new Promise((resolve) => patch.on('close', resolve));
    await new Promise((resolve) => patch.write(bytes.subarray(0, 400_000), resolve));
    patch.destroy();
    await closed;
    const size = await vi.waitFor(async () => {
      const { headers } = await send({ path: at });
      const end = Number(headers.range?.split('-')[1]);
      expect(end).toBeGreaterThan(0);
      return end + 1;
    });
    expect(size).toBeLessThanOrEqual(400_000);
    const rest = { body: bytes.subarray(size), headers: { 'Content-Range': `${size}-${bytes.length - 1}` } };
    expect((await send({ method: 'PUT', path: `${at}?digest=${digestOf(bytes)}`, ...rest })).status).toBe(201);
    const { body } = await send({ path: `/v2/broken/blobs/${digestOf(bytes)}` });
    expect(body.equals(bytes)).toBe(true);
  });

  test('that refuse a large body say why, and the connection goes on', async () => {
    const at = await upload('refused');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { port } = new URL(registry.url);
    const body = Buffer.alloc(20_000_000);
    for (const headers of [{ 'Content-Length': body.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const patch = request({
        port,
        method: 'PATCH',
        path: at,
        agent,
        headers: { ...headers, 'Content-Range': '7-20000006' },
      });
      patch.end(body);
      const [answer] = (await once(patch, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(416);
      const client = answer.socket.localPort;
      await once(answer.resume(), 'end');
      const state = request({ port, path: at, agent }).end();
      const [next] = (await once(state, 'response')) as [IncomingMessage];
      expect([next.statusCode, next.socket.localPort]).toEqual([204, client]);
      await once(next.resume(), 'end');
    }
    agent.destroy();
  });

  test('of two chunks for one place one is taken, and the blob is right', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [first, second] = [randomBytes(300_000), randomBytes(300_000)];
      const at = await upload('race');
      const headers = { 'Content-Range': '0-299999' };
      const answers = await Promise.all(
        [first, second].map((body) => send({ method: 'PATCH', path: at, body, headers })),
      );
      const taken = answers.map(({ status }) => status);
      expect(taken.toSorted()).toEqual([202, 416]);
      const winner = taken[0] === 202 ? first : second;
      expect((await send({ method: 'PUT', path: `${at}?digest=${digestOf(winner)}` })).status).toBe(201);
      const { body } = await send({ path: `/v2/race/blobs/${digestOf(winner)}` });
      expect(body.equals(winner)).toBe(true);
    }
  });

  test('survive a restart of the server', async () => {
    const bytes = randomBytes(600_000);
    const first = await startRegistry();
    const at = await pusher(first.url).upload('restart');
    const half = bytes.subarray(0, 300_000);
    await call(first.url, { method: 'PATCH', path: at, body: half, headers: { 'Content-Range': '0-299999' } });
    await first.close();
    const second = await startRegistry({ storage: first.storage });
    const rest = { body: bytes.subarray(300_000), headers: { 'Content-Range': '300000-599999' } };
    const path = `${at}?digest=${digestOf(bytes)}`;
    expect((await call(second.url, { method: 'PUT', path, ...rest })).status).toBe(201);
    const got = await call(second.url, { path: `/v2/restart/blobs/${digestOf(bytes)}` });
    expect(got.body.equals(bytes)).toBe(true);
    await second.stop();
  });
});

describe('mounts', () => {
  const digest = digestOf('to be mounted');
  const mount = (to: string, query: string) =>
    send({ method: 'POST', path: `/v2/${to}/blobs/uploads/?mount=${query}` });
  const has = async (repository: string) =>
    (await send({ method: 'HEAD', path: `/v2/${repository}/blobs/${digest}` })).status === 200;

  beforeAll(async () => {
    await pusher(registry.url).blob('mount/source', 'to be mounted');
  });

  test('from a repository that has it: 201', async () => {
    const answer = await mount('mount/one', `${digest}&from=mount/source`);
    expect([answer.status, answer.headers.location]).toEqual([201, `/v2/mount/one/blobs/${digest}`]);
    expect(await has('mount/one')).toBe(true);
  });

  test('from wherever it is: 201', async () => {
    expect((await mount('mount/two', digest)).status).toBe(201);
    expect(await has('mount/two')).toBe(true);
  });

  test('what is not there: 202, and the upload works', async () => {
    for (const query of [`${digest}&from=mount/nowhere`, `${wrong}&from=mount/source`, wrong]) {
      const { status, headers } = await mount('mount/three', query);
      expect(status).toBe(202);
      const path = `${headers.location}?digest=${digest}`;
      expect((await send({ method: 'PUT', path, body: 'to be mounted' })).status).toBe(201);
      expect((await send({ method: 'DELETE', path: `/v2/mount/three/blobs/${digest}` })).status).toBe(202);
    }
  });

  test('of nonsense: 400', async () => {
    expect((await mount('mount/four', 'nonsense')).status).toBe(400);
    expect((await mount('mount/four', `${digest}&from=NO`)).status).toBe(400);
  });
});
