// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Answer, type Call, call } from './call.ts';
import { descriptorOf, EMPTY_JSON, errorCode, manifestOf, pusher } from './content.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const json = (answer: Answer) => JSON.parse(answer.body.toString());
/** The path of the next page. */
const next = (answer: Answer) => /^<([^>]+)>; rel="next"$/.exec(`${answer.headers.link ?? ''}`)?.[1];

/** All pages, following `Link`. */
async function pages(path: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at: string | undefined = path; at !== undefined; at = next(answers.at(-1) as Answer)) {
    answers.push(await send({ path: at }));
    if (answers.length > 100) throw new Error('the pages do not end');
  }
  return answers;
}

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  await registry.stop();
});

describe('tags', () => {
  const tags = ['0', '1.0', '1.0-rc', '1.0.1', '10', 'A', 'Z', '_x', 'a', 'latest', 'z'];

  beforeAll(async () => {
    const push = pusher(registry.url);
    await push.blob('tags', EMPTY_JSON);
    for (const tag of tags.toReversed()) await push.manifest('tags', tag, manifestOf([]));
  });

  test('all of them, in byte order', async () => {
    const answer = await send({ path: '/v2/tags/tags/list' });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(json(answer)).toEqual({ name: 'tags', tags });
    expect(answer.headers.link).toBeUndefined();
  });

  for (const n of [1, 2, 5, 10, 11, 12, 1000]) {
    test(`in pages of ${n}`, async () => {
      const answers = await pages(`/v2/tags/tags/list?n=${n}`);
      expect(answers.flatMap((answer) => json(answer).tags)).toEqual(tags);
      expect(answers).toHaveLength(Math.ceil(tags.length / n));
    });
  }

  test('n=0 is none, and no next page', async () => {
    const answer = await send({ path: '/v2/tags/tags/list?n=0' });
    expect([answer.status, json(answer).tags, answer.headers.link]).toEqual([200, [], undefined]);
  });

  for (const last of ['', '1', 'a', 'zz', '%ff', '%2e%2e%2f', 'x'.repeat(5000), '%00', '🦊']) {
    test(`behind ${JSON.stringify(last.slice(0, 12))}`, async () => {
      const answer = await send({
        path: `/v2/tags/tags/list?last=${encodeURI(decodeURI(last.replaceAll('%ff', '')))}`,
      });
      expect(answer.status).toBe(200);
    });
  }

  test('behind one that is not there, and from there on', async () => {
    expect(json(await send({ path: '/v2/tags/tags/list?last=1.0.0' })).tags).toEqual(tags.slice(3));
    expect(json(await send({ path: '/v2/tags/tags/list?last=B&n=2' })).tags).toEqual(['Z', '_x']);
  });

  for (const n of ['-1', 'x', '1.5', '1e3', '']) {
    test(`n=${n} is 400`, async () => {
      expect((await send({ path: `/v2/tags/tags/list?n=${n}` })).status).toBe(400);
    });
  }

  test('n may be absurd', async () => {
    expect(json(await send({ path: `/v2/tags/tags/list?n=${'9'.repeat(400)}` })).tags).toEqual(tags);
  });

  test('of no repository is 404', async () => {
    const answer = await send({ path: '/v2/tags/nothing/tags/list' });
    expect([answer.status, errorCode(answer)]).toEqual([404, 'NAME_UNKNOWN']);
  });

  test('of a repository whose tags are all deleted are none', async () => {
    await pusher(registry.url).image('tagless', 't', 'layer');
    await send({ method: 'DELETE', path: '/v2/tagless/manifests/t' });
    expect(json(await send({ path: '/v2/tagless/tags/list' }))).toEqual({ name: 'tagless', tags: [] });
  });
});

describe('the catalogue', () => {
  test('in byte order of the names, in pages', async () => {
    const own = await startRegistry();
    const names = ['a', 'a-b', 'a.b', 'a/b', 'a/b/c', 'a0', 'a_b', 'b'];
    const push = pusher(own.url);
    for (const name of names.toReversed()) {
      await push.blob(name, EMPTY_JSON);
      await push.manifest(name, 't', manifestOf([]));
    }
    await push.blob('only/blobs', EMPTY_JSON);
    const get = (path: string) => call(own.url, { path });
    expect(json(await get('/v2/_catalog')).repositories).toEqual(names.toSorted());
    const first = await get('/v2/_catalog?n=3');
    expect(json(first).repositories).toEqual(names.toSorted().slice(0, 3));
    expect(json(await get(next(first) ?? '')).repositories).toEqual(names.toSorted().slice(3, 6));
    expect(json(await get('/v2/_catalog?last=a/b')).repositories).toEqual(['a/b/c', 'a0', 'a_b', 'b']);
    const none = await get('/v2/_catalog?n=0');
    expect([json(none).repositories, none.headers.link]).toEqual([[], undefined]);
    expect(own.errors).toEqual([]);
    await own.stop();
  });
});

describe('referrers', () => {
  const subject = manifestOf([], { annotations: { is: 'the subject' } });
  const at = `/v2/referrers/referrers/${digestOf(subject)}`;
  const about = descriptorOf(subject, MEDIA_TYPE.manifest);
  const annotations = { of: 'a referrer', and: 'more' };

  const artifact = manifestOf([], { artifactType: 'application/vnd.example.sbom', annotations, subject: about });
  const image = manifestOf([], {
    config: descriptorOf(EMPTY_JSON, 'application/vnd.example.config'),
    subject: about,
  });
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [], subject: about }),
  );
  const entry = (bytes: Buffer, mediaType: string, more: object = {}) => ({
    ...descriptorOf(bytes, mediaType),
    ...more,
  });
  const entries = [
    entry(artifact, MEDIA_TYPE.manifest, { artifactType: 'application/vnd.example.sbom', annotations }),
    entry(image, MEDIA_TYPE.manifest, { artifactType: 'application/vnd.example.config' }),
    entry(index, MEDIA_TYPE.index),
  ];
  const byDigest = (a: { digest: string }, b: { digest: string }) => (a.digest < b.digest ? -1 : 1);

  beforeAll(async () => {
    await pusher(registry.url).blob('referrers', EMPTY_JSON);
  });

  test('of an unknown subject are an empty index', async () => {
    const answer = await send({ path: `/v2/no/where/referrers/${digestOf('unknown', 'sha512')}` });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-type': MEDIA_TYPE.index });
    expect(json(answer)).toEqual({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [] });
    expect((await send({ path: '/v2/no/where/referrers/nonsense' })).status).toBe(400);
  });

  test('may come before their subject, each says OCI-Subject', async () => {
    for (const [bytes, type] of [
      [artifact, MEDIA_TYPE.manifest],
      [image, MEDIA_TYPE.manifest],
      [index, MEDIA_TYPE.index],
    ] as const) {
      const path = `/v2/referrers/manifests/${digestOf(bytes)}`;
      const answer = await send({ method: 'PUT', path, body: bytes, headers: { 'Content-Type': type } });
      expect(answer.status).toBe(201);
      expect(answer.headers['oci-subject']).toBe(digestOf(subject));
    }
    await pusher(registry.url).manifest('referrers', 'subject', subject);
    expect(json(await send({ path: at })).manifests).toEqual(entries.toSorted(byDigest));
  });

  test('by artifact type, and says so', async () => {
    const answer = await send({ path: `${at}?artifactType=application/vnd.example.sbom` });
    expect(answer.headers['oci-filters-applied']).toBe('artifactType');
    expect(json(answer).manifests).toEqual([entries[0]]);
    expect(json(await send({ path: `${at}?artifactType=application/vnd.none` })).manifests).toEqual([]);
  });

  test('in pages', async () => {
    const answers = await pages(`${at}?n=1`);
    expect(answers.flatMap((answer) => json(answer).manifests)).toEqual(entries.toSorted(byDigest));
    expect(answers).toHaveLength(3);
    const filtered = await pages(`${at}?n=1&artifactType=application/vnd.example.config`);
    expect(filtered.flatMap((answer) => json(answer).manifests)).toEqual([entries[1]]);
  });

  test('that fill more than a page of 4 MiB are paged', async () => {
    for (let part = 0; part < 5; part += 1) {
      const large = manifestOf([], {
        annotations: { part: `${part}`, fill: 'x'.repeat(1_000_000) },
        subject: descriptorOf('large', MEDIA_TYPE.manifest),
      });
      await pusher(registry.url).manifest('referrers', digestOf(large), large);
    }
    const answers = await pages(`/v2/referrers/referrers/${digestOf('large')}`);
    expect(answers.length).toBeGreaterThan(1);
    for (const answer of answers) expect(answer.body.length).toBeLessThan(4 * 1024 * 1024);
    expect(answers.flatMap((answer) => json(answer).manifests)).toHaveLength(5);
  });

  test('go with their manifest, and come back with it', async () => {
    const path = `/v2/referrers/manifests/${digestOf(artifact)}`;
    expect((await send({ method: 'DELETE', path })).status).toBe(202);
    expect(json(await send({ path: at })).manifests).toEqual(entries.slice(1).toSorted(byDigest));
    await pusher(registry.url).manifest('referrers', digestOf(artifact), artifact);
    expect(json(await send({ path: at })).manifests).toEqual(entries.toSorted(byDigest));
  });
});
