// SPDX-License-Identifier: Apache-2.0
// What the registry acknowledges, every client can read, and all of them read the same in it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { call } from './call.ts';
import { errorCode, pusher } from './content.ts';
import { startGoDecoder } from './go-decoder.ts';
import { LAYER, MANIFEST_CASES } from './manifest-cases.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  await pusher(registry.url).image('cases', 'image', LAYER);
});
afterAll(async () => {
  expect(registry.errors).toEqual([]);
  await registry.stop();
});

describe('a manifest with', () => {
  test.each(MANIFEST_CASES.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const { bytes, mediaType, refused } = one;
    const path = `/v2/cases/manifests/${digestOf(bytes)}`;
    const answer = await call(registry.url, {
      ...{ method: 'PUT', path, body: bytes },
      headers: { 'Content-Type': mediaType },
    });
    if (refused === undefined) {
      expect([answer.status, answer.body.toString()]).toEqual([201, '']);
      expect((await call(registry.url, { path })).body.equals(bytes)).toBe(true);
    } else {
      expect([answer.status, errorCode(answer)]).toEqual([400, 'MANIFEST_INVALID']);
      expect(JSON.parse(answer.body.toString()).errors[0].message).toMatch(refused);
      expect((await call(registry.url, { path })).status).toBe(404);
    }
  });
});

const decoder = startGoDecoder();
const why = typeof decoder === 'string' ? ` (${decoder})` : '';

test.skipIf(typeof decoder === 'string')(`Go reads all that is to be taken${why}`, async () => {
  if (typeof decoder === 'string') return;
  try {
    for (const { name, bytes, mediaType, refused } of MANIFEST_CASES) {
      const refusal = await decoder.refusal(bytes, mediaType);
      if (refused === undefined) expect([name, refusal]).toEqual([name, undefined]);
    }
  } finally {
    decoder.close();
  }
});

test('empty lists that are written as null are empty to everybody who lists', async () => {
  const subject = await pusher(registry.url).image('nulls', 'subject', LAYER);
  const { body } = await call(registry.url, { path: '/v2/nulls/manifests/subject' });
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: subject, size: body.length };
  const bytes = Buffer.from(
    JSON.stringify({ ...JSON.parse(body.toString()), layers: null, annotations: null, subject: descriptor }),
  );
  const digest = await pusher(registry.url).manifest('nulls', 'referrer', bytes);
  const referrers = await call(registry.url, { path: `/v2/nulls/referrers/${subject}` });
  const { manifests } = JSON.parse(referrers.body.toString());
  expect(manifests).toEqual([expect.objectContaining({ digest })]);
  expect(manifests[0]).not.toHaveProperty('annotations');
});
