// SPDX-License-Identifier: Apache-2.0
// Requests that change something only if it still is what the client believes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Digest, digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { type Call, call } from './call.ts';
import { EMPTY_JSON, errorCode, manifestOf, pusher } from './content.ts';

let registry: RunningRegistry;
const send = (request: Call) => call(registry.url, request);
const manifest = (name: string) => manifestOf([], { annotations: { name } });
const put = (repository: string, reference: string, name: string, condition: Record<string, string>) =>
  send({
    method: 'PUT',
    path: `/v2/${repository}/manifests/${reference}`,
    body: manifest(name),
    headers: { 'Content-Type': MEDIA_TYPE.manifest, ...condition },
  });
const remove = (repository: string, reference: string, condition: Record<string, string>) =>
  send({ method: 'DELETE', path: `/v2/${repository}/manifests/${reference}`, headers: condition });
const etagOf = async (repository: string, reference: string) =>
  (await send({ path: `/v2/${repository}/manifests/${reference}` })).headers.etag;
const tag = (digest: Digest) => `"${digest}"`;

beforeAll(async () => {
  registry = await startRegistry();
  for (const repository of ['tag', 'race', 'digest', 'gone']) await pusher(registry.url).blob(repository, EMPTY_JSON);
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  await registry.stop();
});

describe('a tag', () => {
  test('is made only where there is none', async () => {
    expect((await put('tag', 'new', 'one', { 'If-None-Match': '*' })).status).toBe(201);
    const again = await put('tag', 'new', 'two', { 'If-None-Match': '*' });
    expect([again.status, errorCode(again)]).toEqual([412, 'DENIED']);
    expect(await etagOf('tag', 'new')).toBe(tag(digestOf(manifest('one'))));
  });

  test('is moved only from where the client saw it', async () => {
    expect((await put('tag', 'moved', 'one', { 'If-Match': '*' })).status).toBe(412);
    await put('tag', 'moved', 'one', {});
    const seen = (await etagOf('tag', 'moved')) ?? '';
    expect((await put('tag', 'moved', 'two', { 'If-Match': `"x", ${seen}` })).status).toBe(201);
    expect((await put('tag', 'moved', 'three', { 'If-Match': seen })).status).toBe(412);
    expect((await put('tag', 'moved', 'three', { 'If-Match': `W/${tag(digestOf(manifest('two')))}` })).status).toBe(
      412,
    );
    expect((await put('tag', 'moved', 'three', { 'If-Match': '*' })).status).toBe(201);
    expect(await etagOf('tag', 'moved')).toBe(tag(digestOf(manifest('three'))));
  });

  test('is deleted only where it points as the client saw it', async () => {
    await put('tag', 'deleted', 'one', {});
    expect((await remove('tag', 'deleted', { 'If-Match': tag(digestOf(manifest('two'))) })).status).toBe(412);
    expect((await remove('tag', 'deleted', { 'If-Match': (await etagOf('tag', 'deleted')) ?? '' })).status).toBe(202);
    expect(await etagOf('tag', 'deleted')).toBeUndefined();
  });

  test('that went with its manifest is none', async () => {
    await put('gone', 't', 'one', {});
    await remove('gone', digestOf(manifest('one')), {});
    expect((await put('gone', 't', 'two', { 'If-Match': '*' })).status).toBe(412);
    expect((await put('gone', 't', 'two', { 'If-None-Match': '*' })).status).toBe(201);
  });

  test('that many clients move at once, each from where all saw it, is moved by one', async () => {
    await put('race', 't', 'start', {});
    for (let round = 0; round < 10; round += 1) {
      const seen = (await etagOf('race', 't')) ?? '';
      const names = Array.from({ length: 8 }, (_, at) => `${round}-${at}`);
      const answers = await Promise.all(names.map((name) => put('race', 't', name, { 'If-Match': seen })));
      const won = names.filter((_, at) => answers[at]?.status === 201);
      expect(answers.filter(({ status }) => status === 412)).toHaveLength(7);
      expect(won).toHaveLength(1);
      expect(await etagOf('race', 't')).toBe(tag(digestOf(manifest(won[0] ?? ''))));
    }
  });

  test('that many clients make at once is made by one', async () => {
    const names = Array.from({ length: 8 }, (_, at) => `maker-${at}`);
    const answers = await Promise.all(names.map((name) => put('race', 'made', name, { 'If-None-Match': '*' })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(7);
  });
});

test('a manifest by digest is pushed only where it is not there, and deleted only where it is', async () => {
  const digest = digestOf(manifest('one'));
  expect((await put('digest', digest, 'one', { 'If-None-Match': '*' })).status).toBe(201);
  expect((await put('digest', digest, 'one', { 'If-None-Match': '*' })).status).toBe(412);
  expect((await put('digest', digest, 'one', { 'If-Match': tag(digest) })).status).toBe(201);
  expect((await remove('digest', digest, { 'If-Match': tag(digestOf('another')) })).status).toBe(412);
  expect((await remove('digest', digest, { 'If-Match': tag(digest) })).status).toBe(202);
});
