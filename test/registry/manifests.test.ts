// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from './call.ts';
import { descriptorOf, EMPTY_JSON, errorCode, manifestOf, pusher } from './content.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const push = () => pusher(registry.url);
const put = (path: string, body: Buffer | string, type: string = MEDIA_TYPE.manifest) =>
  send({ method: 'PUT', path, body, headers: { 'Content-Type': type } });

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  await registry.stop();
});

describe('a manifest', () => {
  test('by tag and by digest: the exact bytes, the type as pushed', async () => {
    // Spaces and an order of fields that no encoder would give back.
    const bytes = Buffer.from(manifestOf(['layer']).toString().replace('{', '{ \n\t'));
    await push().image('exact', 'other', 'layer');
    const created = await put('/v2/exact/manifests/t', bytes);
    const digest = digestOf(bytes);
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({
      location: `/v2/exact/manifests/${digest}`,
      'docker-content-digest': digest,
    });
    for (const reference of ['t', digest]) {
      const path = `/v2/exact/manifests/${reference}`;
      const got = await send({ path });
      expect(got.status).toBe(200);
      expect(got.body.equals(bytes)).toBe(true);
      expect(got.headers).toMatchObject({
        'content-type': MEDIA_TYPE.manifest,
        'content-length': `${bytes.length}`,
        'docker-content-digest': digest,
      });
      const head = await send({ path, method: 'HEAD' });
      expect([head.status, head.body.length]).toEqual([200, 0]);
      const { date: _, ...headers } = got.headers;
      expect(head.headers).toMatchObject(headers);
      const same = await send({ path, headers: { 'If-None-Match': got.headers.etag ?? '' } });
      expect([same.status, same.body.length]).toEqual([304, 0]);
    }
  });

  test('by sha512, with its tags', async () => {
    await push().blob('sha512', EMPTY_JSON);
    const bytes = manifestOf([]);
    const digest = digestOf(bytes, 'sha512');
    const answer = await put(`/v2/sha512/manifests/${digest}?tag=b&tag=a&tag=b`, bytes);
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ 'docker-content-digest': digest, 'oci-tag': 'b, a' });
    for (const reference of ['a', 'b', digest]) {
      const { headers, body } = await send({ path: `/v2/sha512/manifests/${reference}` });
      expect(headers['docker-content-digest']).toBe(digest);
      expect(body.equals(bytes)).toBe(true);
    }
  });

  test('moves its tag, and stays reachable by digest', async () => {
    const first = await push().image('move', 't', 'one');
    const second = await push().image('move', 't', 'two');
    expect((await send({ path: '/v2/move/manifests/t' })).headers['docker-content-digest']).toBe(second);
    expect((await send({ path: `/v2/move/manifests/${first}` })).status).toBe(200);
  });

  test('that is not here is 404', async () => {
    await push().image('known', 't', 'layer');
    for (const reference of ['no-such-tag', digestOf('no such manifest'), '.not-a-tag', 'x'.repeat(129)]) {
      for (const repository of ['known', 'un/known']) {
        const answer = await send({ path: `/v2/${repository}/manifests/${reference}` });
        expect([answer.status, errorCode(answer)]).toEqual([404, 'MANIFEST_UNKNOWN']);
        const head = await send({ path: `/v2/${repository}/manifests/${reference}`, method: 'HEAD' });
        expect([head.status, head.body.length]).toEqual([404, 0]);
      }
    }
  });

  test('whose blobs are not in its repository is refused, and names them', async () => {
    await push().image('elsewhere', 't', 'a layer elsewhere');
    const bytes = manifestOf(['a layer elsewhere', 'a layer nowhere']);
    const answer = await put('/v2/poor/manifests/t', bytes);
    expect([answer.status, errorCode(answer)]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
    expect(answer.body.toString()).toContain(digestOf('a layer nowhere'));
    expect(answer.body.toString()).toContain(digestOf('a layer elsewhere'));
    expect((await send({ path: '/v2/poor/manifests/t' })).status).toBe(404);
    expect((await send({ path: '/v2/poor/tags/list' })).status).toBe(404);
  });

  test('is accepted with unknown fields, data, a missing subject and layers from elsewhere', async () => {
    await push().blob('loose', EMPTY_JSON);
    const foreign = (mediaType: string) => ({
      ...descriptorOf('far away', mediaType),
      urls: ['https://example.com/x'],
    });
    const config = { ...descriptorOf(EMPTY_JSON, MEDIA_TYPE.empty), data: EMPTY_JSON.toString('base64') };
    for (const more of [
      { unknown: { field: [1, 2] }, config },
      { subject: descriptorOf('no such subject', MEDIA_TYPE.manifest) },
      { layers: [foreign('application/vnd.oci.image.layer.nondistributable.v1.tar+gzip')] },
      { layers: [foreign('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip')] },
      { artifactType: 'application/vnd.example', annotations: { a: 'b' } },
      { mediaType: undefined },
    ]) {
      expect((await put('/v2/loose/manifests/t', manifestOf([], more))).status).toBe(201);
    }
  });

  test('of Docker, and lists of them', async () => {
    const { dockerManifest, dockerManifestList } = MEDIA_TYPE;
    await push().blob('docker', EMPTY_JSON);
    const bytes = manifestOf([], { mediaType: dockerManifest });
    const digest = await push().manifest('docker', 'one', bytes, dockerManifest);
    const entry = { ...descriptorOf(bytes, dockerManifest), platform: { os: 'linux', architecture: 'amd64' } };
    const list = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: dockerManifestList, manifests: [entry] }));
    await push().manifest('docker', 'all', list, dockerManifestList);
    expect((await send({ path: '/v2/docker/manifests/all' })).headers['content-type']).toBe(dockerManifestList);
    expect((await send({ path: `/v2/docker/manifests/${digest}` })).headers['content-type']).toBe(dockerManifest);
  });

  for (const [what, body, type] of [
    ['nothing', '', MEDIA_TYPE.manifest],
    ['no JSON', 'not json', MEDIA_TYPE.manifest],
    ['no object', '[]', MEDIA_TYPE.manifest],
    ['null', 'null', MEDIA_TYPE.manifest],
    ['a manifest without config', '{"schemaVersion":2,"layers":[]}', MEDIA_TYPE.manifest],
    ['schema version 1', '{"schemaVersion":1,"config":{},"layers":[]}', MEDIA_TYPE.manifest],
    ['another type than it says', manifestOf([]).toString(), MEDIA_TYPE.index],
    ['an unknown type', '{"schemaVersion":2}', 'application/vnd.example+json'],
    ['manifest and index at once', '{"schemaVersion":2,"layers":[],"manifests":[]}', MEDIA_TYPE.index],
    ['bytes that are no text', Buffer.of(0xff, 0xfe, 0x00).toString('latin1'), MEDIA_TYPE.manifest],
  ] as const) {
    test(`that is ${what} is 400`, async () => {
      const answer = await put('/v2/bad/manifests/t', body, type);
      expect([answer.status, errorCode(answer)]).toEqual([400, 'MANIFEST_INVALID']);
    });
  }

  test('by another digest than its own is 400', async () => {
    await push().blob('liar', EMPTY_JSON);
    for (const lie of [digestOf('a lie'), digestOf('a lie', 'sha512'), 'sha256:abc', 'md5:00']) {
      const answer = await put(`/v2/liar/manifests/${lie}`, manifestOf([]));
      expect([answer.status, errorCode(answer)]).toEqual([400, 'DIGEST_INVALID']);
    }
    for (const tag of ['-x', 'x'.repeat(129), 'a%20b']) {
      const answer = await put(`/v2/liar/manifests/${tag}`, manifestOf([]));
      expect([answer.status, errorCode(answer)]).toEqual([400, 'MANIFEST_INVALID']);
    }
    expect((await put(`/v2/liar/manifests/${digestOf(manifestOf([]))}?tag=-x`, manifestOf([]))).status).toBe(400);
  });

  test('of 4 MiB is accepted, a larger one is 413, with a length and without', async () => {
    await push().blob('large', EMPTY_JSON);
    const of = (size: number) => {
      const empty = manifestOf([], { annotations: { fill: '' } });
      return manifestOf([], { annotations: { fill: 'x'.repeat(size - empty.length) } });
    };
    const limit = 4 * 1024 * 1024;
    expect((await put('/v2/large/manifests/fits', of(limit))).status).toBe(201);
    expect((await send({ path: '/v2/large/manifests/fits' })).body.equals(of(limit))).toBe(true);
    expect((await put('/v2/large/manifests/not', of(limit + 1))).status).toBe(413);
    const chunks = Array.from({ length: 5 }, () => Buffer.alloc(1024 * 1024, ' '));
    const headers = { 'Content-Type': MEDIA_TYPE.manifest };
    const answer = await send({ method: 'PUT', path: '/v2/large/manifests/not', chunks, headers });
    expect(answer.status).toBe(413);
  });
});

describe('an index', () => {
  const index = (manifests: object[], more: object = {}) =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests, ...more }));

  test('may be empty, nested, and list what is no manifest', async () => {
    const empty = index([]);
    await push().manifest('index', 'empty', empty, MEDIA_TYPE.index);
    await push().manifest('index', 'nested', index([descriptorOf(empty, MEDIA_TYPE.index)]), MEDIA_TYPE.index);
    await push().blob('index', 'a cached layer');
    const odd = index([descriptorOf('a cached layer', MEDIA_TYPE.layer)]);
    await push().manifest('index', 'odd', odd, MEDIA_TYPE.index);
  });

  test('whose manifests are not here is refused', async () => {
    const answer = await put(
      '/v2/index/manifests/poor',
      index([descriptorOf('no such manifest', MEDIA_TYPE.manifest)]),
      MEDIA_TYPE.index,
    );
    expect([answer.status, errorCode(answer)]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
  });

  test('and any manifest with holes is accepted by a registry that is told so', async () => {
    const sparse = await startRegistry({ sparseManifests: true });
    const bytes = index([descriptorOf('no such manifest', MEDIA_TYPE.manifest)]);
    await pusher(sparse.url).manifest('sparse', 'index', bytes, MEDIA_TYPE.index);
    await pusher(sparse.url).manifest('sparse', 'image', manifestOf(['no such layer']));
    await sparse.stop();
  });
});

describe('deletion', () => {
  test('of a tag leaves its twins and the manifest', async () => {
    const digest = await push().image('untag', 'a', 'layer');
    await push().image('untag', 'b', 'layer');
    expect((await send({ method: 'DELETE', path: '/v2/untag/manifests/a' })).status).toBe(202);
    expect((await send({ path: '/v2/untag/manifests/a' })).status).toBe(404);
    expect((await send({ method: 'DELETE', path: '/v2/untag/manifests/a' })).status).toBe(404);
    for (const reference of ['b', digest]) {
      expect((await send({ path: `/v2/untag/manifests/${reference}` })).status).toBe(200);
    }
  });

  test('of a manifest takes its tags with it, and only those', async () => {
    const digest = await push().image('remove', 'a', 'old');
    await push().image('remove', 'b', 'old');
    await push().image('remove', 'moved', 'old');
    await push().image('remove', 'moved', 'new');
    expect((await send({ method: 'DELETE', path: `/v2/remove/manifests/${digest}` })).status).toBe(202);
    for (const reference of ['a', 'b', digest]) {
      expect((await send({ path: `/v2/remove/manifests/${reference}` })).status).toBe(404);
    }
    expect((await send({ path: '/v2/remove/manifests/moved' })).status).toBe(200);
    const { body } = await send({ path: '/v2/remove/tags/list' });
    expect(JSON.parse(body.toString()).tags).toEqual(['moved']);
    expect((await send({ method: 'DELETE', path: `/v2/remove/manifests/${digest}` })).status).toBe(404);
  });

  test('does not come back by a push of the same bytes', async () => {
    const digest = await push().image('again', 'old', 'layer');
    await send({ method: 'DELETE', path: `/v2/again/manifests/${digest}` });
    await push().image('again', 'new', 'layer');
    expect((await send({ path: '/v2/again/manifests/old' })).status).toBe(404);
    expect((await send({ path: '/v2/again/manifests/new' })).status).toBe(200);
    expect((await send({ path: `/v2/again/manifests/${digest}` })).status).toBe(200);
  });

  test('and pushes of one manifest, again and again at once, leave what answered last', async () => {
    const digest = await push().image('churn', 't', 'layer');
    const bytes = manifestOf(['layer']);
    for (let round = 0; round < 30; round += 1) {
      const [pushed] = await Promise.all([
        put('/v2/churn/manifests/t', bytes),
        send({ method: 'DELETE', path: `/v2/churn/manifests/${digest}` }),
      ]);
      expect(pushed.status).toBe(201);
      const [byTag, byDigest] = [
        await send({ path: '/v2/churn/manifests/t' }),
        await send({ path: `/v2/churn/manifests/${digest}` }),
      ];
      expect(byTag.status).toBe(byDigest.status);
      const list = await send({ path: '/v2/churn/tags/list' });
      expect(JSON.parse(list.body.toString()).tags).toEqual(byTag.status === 200 ? ['t'] : []);
      await put('/v2/churn/manifests/t', bytes);
      expect((await send({ path: '/v2/churn/manifests/t' })).status).toBe(200);
    }
  });
});
