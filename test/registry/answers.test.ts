// SPDX-License-Identifier: Apache-2.0
// What an answer says beside what was asked for, and what it must not say.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from './call.ts';
import { EMPTY_JSON, manifestOf, pusher } from './content.ts';

let registry: RunningRegistry;
let sparse: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const headers = { 'Content-Type': MEDIA_TYPE.manifest };

beforeAll(async () => {
  registry = await startRegistry();
  sparse = await startRegistry({ sparseManifests: true });
  await pusher(registry.url).image('answers', 't', 'layer');
});
afterAll(async () => {
  for (const { errors, stop } of [registry, sparse]) {
    expect(errors).toEqual([]);
    await stop();
  }
});

describe('a warning', () => {
  test('names what a manifest with holes lacks, and stays short', async () => {
    const path = '/v2/holes/manifests/t';
    const few = await call(sparse.url, { method: 'PUT', path, headers, body: manifestOf(['a', 'b']) });
    const digests = [digestOf(EMPTY_JSON), digestOf('a'), digestOf('b')].join(', ');
    const said = `299 - "the repository does not hold ${digests}, which the manifest names"`;
    expect([few.status, few.headers.warning]).toEqual([201, said]);

    const layers = Array.from({ length: 200 }, (_, at) => `layer ${at}`);
    const many = await call(sparse.url, { method: 'PUT', path, headers, body: manifestOf(layers) });
    expect(many.headers.warning).toMatch(/^299 - "[^"]* and 198 more, which the manifest names"$/);
    expect(`${many.headers.warning}`.length).toBeLessThan(1000);
  });

  test('tells of tags that do not count', async () => {
    const path = '/v2/answers/manifests/t?tag=other';
    const { status, headers: said } = await send({ method: 'PUT', path, headers, body: manifestOf(['layer']) });
    expect([status, said['oci-tag']]).toEqual([201, undefined]);
    expect(said.warning).toMatch(/^299 - "tag= was ignored/);
    expect((await send({ path: '/v2/answers/manifests/other' })).status).toBe(404);
  });

  test('tells of an algorithm that cannot be', async () => {
    const start = (query: string) => send({ method: 'POST', path: `/v2/answers/blobs/uploads/${query}` });
    const unknown = await start('?digest-algorithm=md5');
    expect(unknown.status).toBe(202);
    expect(unknown.headers.warning).toMatch(/^299 - ".* sha256 or sha512"$/);
    for (const query of ['', '?digest-algorithm=', '?digest-algorithm=sha512']) {
      expect((await start(query)).headers.warning).toBeUndefined();
    }
  });

  test('is not there where there is nothing to say', async () => {
    const path = '/v2/answers/manifests/t';
    const put = await send({ method: 'PUT', path, headers, body: manifestOf(['layer']) });
    const whole = await call(sparse.url, {
      method: 'PUT',
      path: '/v2/whole/manifests/t',
      headers: { 'Content-Type': MEDIA_TYPE.index },
      body: JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [] }),
    });
    for (const answer of [put, whole, await send({ path })]) expect(answer.headers.warning).toBeUndefined();
  });
});

test('chunks may be as small as a byte, so none of a least length is spoken of', async () => {
  const started = await send({ method: 'POST', path: '/v2/answers/blobs/uploads/' });
  expect(started.headers['oci-chunk-min-length']).toBeUndefined();
  let at = started.headers.location ?? '';
  for (const [offset, byte] of [...'bytes'].entries()) {
    const range = { 'Content-Range': `${offset}-${offset}` };
    const patched = await send({ method: 'PATCH', path: at, body: byte, headers: range });
    expect([patched.status, patched.headers.range]).toEqual([202, `0-${offset}`]);
    at = patched.headers.location ?? '';
  }
  const closed = await send({ method: 'PUT', path: `${at}?digest=${digestOf('bytes')}` });
  expect(closed.status).toBe(201);
  expect((await send({ path: closed.headers.location ?? '' })).body.toString()).toBe('bytes');
});

test('nothing is compressed, whatever the client would take', async () => {
  for (const path of ['manifests/t', `blobs/${digestOf('layer')}`, 'tags/list', `referrers/${digestOf('x')}`]) {
    const answer = await send({ path: `/v2/answers/${path}`, headers: { 'Accept-Encoding': 'gzip, br, zstd' } });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers['content-length']).toBe(`${answer.body.length}`);
    expect(answer.headers['content-type']).not.toContain('charset');
  }
});

test("a media type's parameters are dropped, its manifest is not touched", async () => {
  const type = { 'Content-Type': `${MEDIA_TYPE.manifest}; charset=utf-8` };
  const body = manifestOf(['layer']);
  const path = '/v2/answers/manifests/parameters';
  expect((await send({ method: 'PUT', path, headers: type, body })).status).toBe(201);
  const got = await send({ path });
  expect(got.headers['content-type']).toBe(MEDIA_TYPE.manifest);
  expect(got.body.equals(body)).toBe(true);
});

test('a mirror is asked with the name of another registry, which changes nothing here', async () => {
  for (const path of ['manifests/t', `blobs/${digestOf('layer')}`]) {
    const [plain, mirrored] = [
      await send({ path: `/v2/answers/${path}` }),
      await send({ path: `/v2/answers/${path}?ns=registry.example.org` }),
    ];
    expect([mirrored.status, mirrored.headers['oci-namespace']]).toEqual([200, undefined]);
    expect(mirrored.body.equals(plain.body)).toBe(true);
  }
});
