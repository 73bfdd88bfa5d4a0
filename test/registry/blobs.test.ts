// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from './call.ts';
import { errorCode, pusher } from './content.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  await registry.stop();
});

for (const algorithm of ['sha256', 'sha512'] as const) {
  describe(`blobs by ${algorithm}`, () => {
    const bytes = randomBytes(2_500_000);
    const digest = digestOf(bytes, algorithm);
    const blob = `/v2/some/repository/blobs/${digest}`;
    const unknown = `/v2/some/repository/blobs/${digestOf('nothing', algorithm)}`;

    beforeAll(async () => {
      await pusher(registry.url).blob('some/repository', bytes, algorithm);
    });

    test('GET answers the bytes and says what they are', async () => {
      const { status, headers, body } = await send({ path: blob });
      expect(status).toBe(200);
      expect(body.equals(bytes)).toBe(true);
      expect(headers).toMatchObject({
        'content-length': `${bytes.length}`,
        'content-type': 'application/octet-stream',
        'docker-content-digest': digest,
        'accept-ranges': 'bytes',
        etag: `"${digest}"`,
      });
    });

    test('HEAD answers the same without the bytes', async () => {
      const [got, head] = [await send({ path: blob }), await send({ path: blob, method: 'HEAD' })];
      expect(head.status).toBe(200);
      expect(head.body).toHaveLength(0);
      const { date: _, ...expected } = got.headers;
      expect(head.headers).toMatchObject(expected);
    });

    test('what is not here is 404', async () => {
      for (const path of [unknown, blob.replace('some/', 'other/')]) {
        const answer = await send({ path });
        expect(answer.status).toBe(404);
        expect(errorCode(answer)).toBe('BLOB_UNKNOWN');
        const head = await send({ path, method: 'HEAD' });
        expect([head.status, head.body.length]).toEqual([404, 0]);
      }
    });

    const last = bytes.length - 1;
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 0],
      ['bytes=10-1000000', 10, 1_000_000],
      ['bytes=2000000-', 2_000_000, last],
      ['bytes=-500', last - 499, last],
      ['bytes=-99999999999', 0, last],
      ['bytes=100-99999999999', 100, last],
    ] as const) {
      test(`Range: ${range} is 206`, async () => {
        const { status, headers, body } = await send({ path: blob, headers: { Range: range } });
        expect(status).toBe(206);
        expect(headers['content-range']).toBe(`bytes ${start}-${end}/${bytes.length}`);
        expect(headers['content-length']).toBe(`${end - start + 1}`);
        expect(body.equals(bytes.subarray(start, end + 1))).toBe(true);
      });
    }

    for (const range of ['bytes=500-0', `bytes=${bytes.length}-`, 'bytes=-0', 'bytes=99999999999-']) {
      test(`Range: ${range} is 416`, async () => {
        const answer = await send({ path: blob, headers: { Range: range } });
        expect(answer.status).toBe(416);
        expect(answer.headers['content-range']).toBe(`bytes */${bytes.length}`);
      });
    }

    for (const range of ['bytes=-', 'bytes=0-1,5-6', 'lines=0-5', 'nonsense']) {
      test(`Range: ${range} is answered whole`, async () => {
        const { status, body } = await send({ path: blob, headers: { Range: range } });
        expect([status, body.length]).toEqual([200, bytes.length]);
      });
    }

    test('conditions: If-None-Match is 304, If-Range picks', async () => {
      const same = await send({ path: blob, headers: { 'If-None-Match': `W/"x", "${digest}"` } });
      expect([same.status, same.body.length]).toEqual([304, 0]);
      expect((await send({ path: blob, headers: { 'If-None-Match': '"x"' } })).status).toBe(200);
      const range = { Range: 'bytes=0-9' };
      expect((await send({ path: blob, headers: { ...range, 'If-Range': `"${digest}"` } })).status).toBe(206);
      expect((await send({ path: blob, headers: { ...range, 'If-Range': '"x"' } })).status).toBe(200);
    });

    test('DELETE is 202, then 404 at once, and the twin in another repository stays', async () => {
      const small = 'a small blob';
      const of = digestOf(small, algorithm);
      const push = pusher(registry.url);
      for (const repository of ['twin/one', 'twin/two']) await push.blob(repository, small, algorithm);
      expect((await send({ method: 'DELETE', path: `/v2/twin/one/blobs/${of}` })).status).toBe(202);
      expect((await send({ method: 'HEAD', path: `/v2/twin/one/blobs/${of}` })).status).toBe(404);
      expect((await send({ method: 'DELETE', path: `/v2/twin/one/blobs/${of}` })).status).toBe(404);
      expect((await send({ path: `/v2/twin/two/blobs/${of}` })).body.toString()).toBe(small);
      await push.blob('twin/one', small, algorithm);
      expect((await send({ path: `/v2/twin/one/blobs/${of}` })).body.toString()).toBe(small);
    });

    test('an empty one works', async () => {
      const of = await pusher(registry.url).blob('empty', '', algorithm);
      const { status, headers, body } = await send({ path: `/v2/empty/blobs/${of}` });
      expect([status, headers['content-length'], body.length]).toEqual([200, '0', 0]);
      expect((await send({ path: `/v2/empty/blobs/${of}`, headers: { Range: 'bytes=0-' } })).status).toBe(416);
    });
  });
}

test('a client that hangs up in the middle disturbs nobody', async () => {
  const bytes = randomBytes(8_000_000);
  const digest = await pusher(registry.url).blob('hangup', bytes);
  for (let round = 0; round < 20; round += 1) {
    const abort = new AbortController();
    const answer = await fetch(`${registry.url}/v2/hangup/blobs/${digest}`, { signal: abort.signal });
    await answer.body?.getReader().read();
    abort.abort();
  }
  const { body } = await send({ path: `/v2/hangup/blobs/${digest}` });
  expect(body.equals(bytes)).toBe(true);
});
