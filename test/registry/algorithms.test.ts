// SPDX-License-Identifier: Apache-2.0
// What clients do with manifests, all of it by each algorithm of digests: what a manifest names, what names it, and its
// own name.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Digest, digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Answer, type Call, call } from './call.ts';
import { descriptorOf, EMPTY_JSON, errorCode, pusher } from './content.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const json = (answer: Answer) => JSON.parse(answer.body.toString());

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  await registry.stop();
});

for (const algorithm of ['sha256', 'sha512'] as const) {
  describe(`by ${algorithm}`, () => {
    const descriptor = (bytes: Buffer | string, mediaType: string) => descriptorOf(bytes, mediaType, algorithm);
    const image = (layer: string, more: object = {}) =>
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MEDIA_TYPE.manifest,
          config: descriptor(EMPTY_JSON, MEDIA_TYPE.empty),
          layers: [descriptor(layer, MEDIA_TYPE.layer)],
          ...more,
        }),
      );
    const index = (manifests: object[], more: object = {}) =>
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests, ...more }));
    const digest = (bytes: Buffer | string) => digestOf(bytes, algorithm);

    /** Pushes by digest, as any algorithm but sha256 has to be. */
    const put = (repository: string, bytes: Buffer, query = '', type: string = MEDIA_TYPE.manifest) =>
      send({
        method: 'PUT',
        path: `/v2/${repository}/manifests/${digest(bytes)}${query}`,
        body: bytes,
        headers: { 'Content-Type': type },
      });
    const get = (repository: string, reference: string) => send({ path: `/v2/${repository}/manifests/${reference}` });
    const remove = (repository: string, reference: string) =>
      send({ method: 'DELETE', path: `/v2/${repository}/manifests/${reference}` });
    const layers = async (repository: string, ...contents: string[]) => {
      for (const bytes of [EMPTY_JSON, ...contents]) await pusher(registry.url).blob(repository, bytes, algorithm);
    };
    const tagsOf = async (repository: string) => json(await send({ path: `/v2/${repository}/tags/list` })).tags;
    const referrersOf = async (repository: string, subject: Digest, query = '') =>
      json(await send({ path: `/v2/${repository}/referrers/${subject}${query}` })).manifests;

    test('bytes of another digest are refused, and both digests are named', async () => {
      const bytes = 'these bytes';
      const claimed = digest('other bytes');
      // The first form names the digest before the bytes come, the second one after they have been hashed.
      const path = `/v2/${algorithm}/mismatch/blobs/uploads/`;
      const { headers } = await send({ method: 'POST', path });
      const location = headers.location ?? '';
      await send({ method: 'PATCH', path: location, body: bytes });
      const separator = location.includes('?') ? '&' : '?';
      for (const request of [
        { method: 'POST', path: `${path}?digest=${claimed}`, body: bytes },
        { method: 'PUT', path: `${location}${separator}digest=${claimed}` },
      ]) {
        const answer = await send(request);
        expect([answer.status, errorCode(answer)]).toEqual([400, 'DIGEST_INVALID']);
        const { message } = json(answer).errors[0];
        expect(message).toContain(digest(bytes));
        expect(message).toContain(claimed);
      }
    });

    test('a push sets every tag and names each in OCI-Tag', async () => {
      const repository = `${algorithm}/tags`;
      await layers(repository, 'one');
      const bytes = image('one');
      const tags = Array.from({ length: 20 }, (_, at) => `tag-${String(at).padStart(2, '0')}`);
      const answer = await put(repository, bytes, `?${tags.map((tag) => `tag=${tag}`).join('&')}`);
      expect(answer.status).toBe(201);
      expect(answer.headers).toMatchObject({
        location: `/v2/${repository}/manifests/${digest(bytes)}`,
        'docker-content-digest': digest(bytes),
      });
      expect(`${answer.headers['oci-tag']}`.split(', ')).toEqual(tags);
      expect(await tagsOf(repository)).toEqual(tags);
      for (const reference of [digest(bytes), 'tag-07', 'tag-19']) {
        const got = await get(repository, reference);
        expect(got.body.equals(bytes)).toBe(true);
        expect(got.headers['docker-content-digest']).toBe(digest(bytes));
      }
    });

    test('more tags than are set at once are 414, and none is set', async () => {
      const repository = `${algorithm}/many`;
      await layers(repository, 'one');
      const tags = Array.from({ length: 101 }, (_, at) => `tag=${at}`);
      const answer = await put(repository, image('one'), `?${tags.join('&')}`);
      expect([answer.status, errorCode(answer)]).toEqual([414, 'UNSUPPORTED']);
      expect((await send({ path: `/v2/${repository}/tags/list` })).status).toBe(404);
    });

    test('what is missing is refused and named', async () => {
      const repository = `${algorithm}/poor`;
      await layers(repository);
      const answer = await put(repository, image('not pushed'));
      expect([answer.status, errorCode(answer)]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
      expect(json(answer).errors[0].detail).toEqual([{ digest: digest('not pushed') }]);
      const list = index([descriptor(image('not pushed'), MEDIA_TYPE.manifest)]);
      const refused = await put(repository, list, '', MEDIA_TYPE.index);
      expect(json(refused).errors[0].detail).toEqual([{ digest: digest(image('not pushed')) }]);
    });

    test('indexes nest', async () => {
      const repository = `${algorithm}/nested`;
      await layers(repository, 'inner');
      const inner = index([descriptor(image('inner'), MEDIA_TYPE.manifest)]);
      const outer = index([descriptor(inner, MEDIA_TYPE.index)]);
      expect((await put(repository, image('inner'))).status).toBe(201);
      expect((await put(repository, inner, '', MEDIA_TYPE.index)).status).toBe(201);
      expect((await put(repository, outer, '?tag=all', MEDIA_TYPE.index)).status).toBe(201);
      expect((await get(repository, 'all')).headers['content-type']).toBe(MEDIA_TYPE.index);
    });

    test('deleting a tag leaves its twins, deleting the manifest takes them', async () => {
      const repository = `${algorithm}/deleted`;
      await layers(repository, 'one');
      const bytes = image('one');
      await put(repository, bytes, '?tag=a&tag=b&tag=c');
      expect((await remove(repository, 'a')).status).toBe(202);
      expect((await get(repository, 'a')).status).toBe(404);
      expect(await tagsOf(repository)).toEqual(['b', 'c']);
      expect((await remove(repository, digest(bytes))).status).toBe(202);
      for (const reference of ['b', 'c', digest(bytes)]) expect((await get(repository, reference)).status).toBe(404);
      expect(await tagsOf(repository)).toEqual([]);
    });

    test('referrers are listed, filtered, and go with their manifest', async () => {
      const repository = `${algorithm}/referrers`;
      await layers(repository, 'signature', 'sbom');
      const subject = descriptor('a subject that is not here', MEDIA_TYPE.manifest);
      const about = (artifactType: string, layer: string) =>
        image(layer, { artifactType, subject, annotations: { of: layer } });
      const pushed = [about('application/vnd.example.sig', 'signature'), about('application/vnd.example.sbom', 'sbom')];
      for (const bytes of pushed) {
        const answer = await put(repository, bytes);
        expect([answer.status, answer.headers['oci-subject']]).toEqual([201, subject.digest]);
      }
      const listed = await referrersOf(repository, subject.digest);
      expect(listed.map((entry: { digest: string }) => entry.digest).toSorted()).toEqual(pushed.map(digest).toSorted());
      const sboms = await referrersOf(repository, subject.digest, '?artifactType=application/vnd.example.sbom');
      expect(sboms).toEqual([
        {
          ...descriptor(pushed[1] ?? '', MEDIA_TYPE.manifest),
          artifactType: 'application/vnd.example.sbom',
          annotations: { of: 'sbom' },
        },
      ]);
      await remove(repository, digest(pushed[1] ?? ''));
      expect(await referrersOf(repository, subject.digest)).toHaveLength(1);
    });

    test('blobs are mounted from a named repository, from any, and not from where they are not', async () => {
      const [from, to] = [`${algorithm}/mount/from`, `${algorithm}/mount/to`];
      const mount = (query: string) => send({ method: 'POST', path: `/v2/${to}/blobs/uploads/?mount=${query}` });
      const blob = await pusher(registry.url).blob(from, `mounted by ${algorithm}`, algorithm);
      for (const query of [`${blob}&from=${from}`, blob]) {
        const answer = await mount(query);
        expect([answer.status, answer.headers.location]).toEqual([201, `/v2/${to}/blobs/${blob}`]);
        const got = await send({ path: answer.headers.location ?? '' });
        expect(got.body.toString()).toBe(`mounted by ${algorithm}`);
        expect((await send({ method: 'DELETE', path: `/v2/${to}/blobs/${blob}` })).status).toBe(202);
      }
      const missing = digest('mounted from nowhere');
      for (const query of [`${missing}&from=${from}`, missing, `${blob}&from=${algorithm}/mount/nowhere`]) {
        const answer = await mount(query);
        expect(answer.status).toBe(202);
        expect((await send({ method: 'DELETE', path: answer.headers.location ?? '' })).status).toBe(204);
      }
    });
  });
}
