// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANNOTATION } from '../annotations.ts';
import type { Descriptor } from '../descriptor.ts';
import { digestOf } from '../digest.ts';
import { type ContentStore, openContentStore } from '../layout/index.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { parseReference, type Reference } from '../reference.ts';
import { concurrently } from './concurrently.ts';
import { openLine, openRemote, pullImage, pushImage, type RemoteRegistry, type TransferEvent } from './index.ts';
import { TestRegistry } from './testing.ts';

let dir: string;
let registry: TestRegistry;
let remote: RemoteRegistry;
let here: ContentStore;
let there: ContentStore;
let reference: Reference;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-transfer-'));
  registry = await TestRegistry.start();
  remote = openRemote({ registry: registry.host, backoffMs: 1, env: {} });
  here = await openContentStore(join(dir, 'here'));
  there = await openContentStore(join(dir, 'there'));
  reference = parseReference(`${registry.host}/a/b:1`);
});
afterEach(async () => {
  await remote.close();
  await registry.stop();
  await rm(dir, { recursive: true, force: true });
});

async function put(text: string, mediaType: string): Promise<Descriptor> {
  const descriptor = { mediaType, digest: digestOf(text), size: Buffer.byteLength(text) };
  await here.write(descriptor, Readable.from([Buffer.from(text)]));
  return descriptor;
}
async function putImage(...layers: string[]): Promise<Descriptor> {
  const config = await put('{}', MEDIA_TYPE.config);
  const descriptors = [];
  for (const layer of layers) descriptors.push(await put(layer, MEDIA_TYPE.layer));
  return await put(JSON.stringify({ schemaVersion: 2, config, layers: descriptors }), MEDIA_TYPE.manifest);
}
async function putIndex(profiles: Record<string, Descriptor>): Promise<Descriptor> {
  const manifests = Object.entries(profiles).map(([profile, image]) => ({
    ...image,
    annotations: { [ANNOTATION.profile]: profile },
  }));
  return await put(JSON.stringify({ schemaVersion: 2, manifests }), MEDIA_TYPE.index);
}
const puts = () =>
  registry.requests.filter((request) => request.startsWith('PUT')).map((request) => request.replace(/\?.*/, ''));

describe('pushImage', () => {
  test('blobs first, then manifests, the tag last', async () => {
    const [one, two] = [await putImage('1', 'shared'), await putImage('2', 'shared')];
    const index = await putIndex({ one, two });
    await here.tag('name', index);
    expect(await pushImage(here, 'name', reference, remote)).toEqual(index);
    expect(
      puts()
        .slice(0, 4)
        .every((request) => request.includes('/blobs/')),
    ).toBe(true);
    expect(puts().slice(4)).toEqual([
      `PUT /v2/a/b/manifests/${one.digest}`,
      `PUT /v2/a/b/manifests/${two.digest}`,
      'PUT /v2/a/b/manifests/1',
    ]);
    expect(registry.manifests.get('1')?.mediaType).toBe(MEDIA_TYPE.index);
  });

  test('what the store does not have whole is not begun to be tagged', async () => {
    const image = await putImage('layer');
    await here.tag('name', image);
    await truncate(await here.path(digestOf('layer')), 2);
    await expect(pushImage(here, 'name', reference, remote)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('2 bytes'),
    });
    await expect(pushImage(here, 'other', reference, remote)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(registry.requests).toEqual([]);
  });

  describe('of an index only what was pulled is there: nothing is sent, and it is said', () => {
    const entry = (image: Descriptor, architecture: string) => ({ ...image, platform: { os: 'linux', architecture } });
    const attestation = {
      mediaType: MEDIA_TYPE.manifest,
      digest: digestOf('attestation'),
      size: 11,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const missing = { mediaType: MEDIA_TYPE.manifest, digest: digestOf('missing'), size: 7 };
    const pushing = async (...manifests: Descriptor[]) => {
      await here.tag('name', await put(JSON.stringify({ schemaVersion: 2, manifests }), MEDIA_TYPE.index));
      return await pushImage(here, 'name', reference, remote).then(
        () => undefined,
        (error) => error,
      );
    };
    afterEach(() => expect(registry.requests).toEqual([]));

    test('the platform that is missing', async () => {
      const image = await putImage('1');
      const error = await pushing(entry(image, 'amd64'), entry(missing, 'arm64'), attestation);
      expect(error).toMatchObject({ code: 'NOT_FOUND' });
      expect(error.message).toBe(
        `the store has 1 of the 3 manifests of this index: the image for linux/arm64 is missing (${missing.digest}), and 1 more`,
      );
      expect(error.hint).toContain(`uk pull REF@${image.digest}`);
      expect(error.hint).toContain('skopeo copy --all');
    });

    test('an attestation, or the image for this machine', async () => {
      const image = await putImage('1');
      expect((await pushing(entry(image, 'amd64'), attestation)).message).toContain(
        `1 of the 2 manifests of this index: an attestation is missing (${attestation.digest})`,
      );
      expect(await pushing(entry(missing, 'amd64'))).toMatchObject({
        message: expect.stringContaining('the image for linux/amd64 is missing'),
        hint: 'pull it from where the index came from: uk pull REF',
      });
    });

    test('a layer of one of its images', async () => {
      const [one, two] = [await putImage('1'), await putImage('2')];
      await rm(await here.path(digestOf('2')));
      expect((await pushing(one, two)).message).toBe(`${digestOf('2')} is not in the store`);
    });
  });
});

describe('pullImage', () => {
  const pushed = async (descriptor: Descriptor) => {
    await here.tag('name', descriptor);
    await pushImage(here, 'name', reference, remote);
    registry.requests.splice(0);
  };
  const nothingNamed = async () => {
    expect(await there.list()).toEqual([]);
  };

  test('everything, then the name', async () => {
    const image = await putImage('1', '2', '1');
    await pushed(image);
    const events: TransferEvent[] = [];
    const pulled = await pullImage(reference, remote, there, { onProgress: (event) => events.push(event) });
    expect(pulled).toEqual({ descriptor: image, manifest: image, name: `${registry.host}/a/b:1` });
    expect(await there.resolve(pulled.name)).toEqual(image);
    for (const text of ['1', '2', '{}']) expect((await there.read(digestOf(text))).toString()).toBe(text);
    const done = events.filter(({ phase }) => phase === 'done');
    expect(done.map(({ what, outcome }) => `${what} ${outcome}`).sort()).toEqual([
      'image config transferred',
      'layer transferred',
      'layer transferred',
      'manifest transferred',
    ]);
    expect(done.at(-1)?.what).toBe('manifest');
  });

  test('of roles only those that are known are reported', async () => {
    const config = await put('{}', MEDIA_TYPE.config);
    const roled = async (text: string, role: string) => {
      return { ...(await put(text, MEDIA_TYPE.layer)), annotations: { [ANNOTATION.layerRole]: role } };
    };
    const layers = [await roled('1', 'kernel'), await roled('2', '\u001b]0;title\u0007')];
    await pushed(await put(JSON.stringify({ schemaVersion: 2, config, layers }), MEDIA_TYPE.manifest));
    const seen = new Set<string>();
    await pullImage(reference, remote, there, { onProgress: ({ what }) => seen.add(what) });
    expect([...seen].sort()).toEqual(['image config', 'kernel', 'layer', 'manifest']);
  });

  test('what is there is not fetched again', async () => {
    await pushed(await putImage('1', '2'));
    await pullImage(reference, remote, there);
    registry.requests.splice(0);
    const outcomes: unknown[] = [];
    await pullImage(reference, remote, there, {
      onProgress: ({ phase, outcome }) => phase === 'done' && outcomes.push(outcome),
    });
    expect(registry.requests).toEqual(['GET /v2/a/b/manifests/1']);
    expect(outcomes.filter((outcome) => outcome === 'exists')).toHaveLength(3);
  });

  test('signatures, by the referrers list, its fall-back tag, and the tag of cosign', async () => {
    const image = await putImage('1');
    await pushed(image);
    const sign = (text: string, type: string) => {
      const layers = [registry.putBlob(text, 'application/octet-stream')];
      const config = registry.putBlob('{}', MEDIA_TYPE.empty);
      const document = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, artifactType: type, config, layers };
      return { ...registry.putManifest(digestOf(text), document, MEDIA_TYPE.manifest), artifactType: type };
    };
    const tag = image.digest.replace(':', '-');
    const notation = sign('notation', 'application/vnd.cncf.notary.signature');
    const sbom = sign('sbom', 'application/spdx+json');
    const list = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [notation, sbom] };
    registry.putManifest(tag, list, MEDIA_TYPE.index);
    const cosign = sign('cosign', 'application/vnd.dev.cosign.artifact.sig.v1+json');
    registry.manifests.set(`${tag}.sig`, registry.manifests.get(cosign.digest) ?? expect.fail());
    await pullImage(reference, remote, there, { signatures: true });
    const digests = async () => (await there.referrers(image.digest)).map(({ digest }) => digest).sort();
    expect(await digests()).toEqual([notation.digest, cosign.digest].sort());
    // A registry that has the list itself is asked for no fall-back.
    const bundle = sign('bundle', 'application/vnd.dev.sigstore.bundle.v0.3+json');
    registry.intercept = (request, response) => {
      if (request.url !== `/v2/a/b/referrers/${image.digest}`) return false;
      response
        .writeHead(200, { 'content-type': MEDIA_TYPE.index })
        .end(JSON.stringify({ ...list, manifests: [bundle] }));
      return true;
    };
    registry.requests.splice(0);
    await pullImage(reference, remote, there, { signatures: true });
    expect(registry.requests).not.toContain(`GET /v2/a/b/manifests/${tag}`);
    expect(await digests()).toEqual([notation.digest, cosign.digest, bundle.digest].sort());
  });

  test('of an index the one for the profile', async () => {
    const [one, two] = [await putImage('1'), await putImage('2')];
    const index = await putIndex({ one, two });
    await pushed(index);
    expect(await pullImage(reference, remote, there, { profile: 'two' })).toMatchObject({
      descriptor: index,
      manifest: { digest: two.digest },
    });
    expect(await there.stat(digestOf('2'))).toBe(1);
    expect(await there.stat(digestOf('1'))).toBeUndefined();
    await expect(pullImage(reference, remote, there, { profile: 'three' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: 'it has: one, two',
    });
  });

  test('a partly pulled index is not pushed: what lacks is named, with how to get it', async () => {
    await pushed(await putIndex({ one: await putImage('1'), two: await putImage('2') }));
    const { name } = await pullImage(reference, remote, there, { profile: 'two' });
    registry.requests.splice(0);
    await expect(pushImage(there, name, reference, remote)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('the profile one'),
      hint: expect.stringContaining('uk pull --profile one REF'),
    });
    expect(registry.requests).toEqual([]);
  });

  test('a blob that was altered on the way gets no name', async () => {
    await pushed(await putImage('layer'));
    registry.blobs.set(digestOf('layer'), Buffer.from('lAyer'));
    await expect(pullImage(reference, remote, there)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await nothingNamed();
    expect(await there.stat(digestOf('layer'))).toBeUndefined();
  });

  test('a blob that is too long, or too short, gets no name', async () => {
    await pushed(await putImage('layer'));
    for (const wrong of ['layer and more', 'lay']) {
      registry.blobs.set(digestOf('layer'), Buffer.from(wrong));
      await expect(pullImage(reference, remote, there)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
      registry.intercept = (request, response) => {
        if (!request.url?.includes(digestOf('layer'))) return false;
        // Without a length, which would give it away.
        response.writeHead(200).write(wrong);
        response.end();
        return true;
      };
      const line = openLine({ backoffMs: 1, attempts: 3 });
      await expect(pullImage(reference, remote, there, { line })).rejects.toMatchObject({
        code: expect.stringMatching(/SIZE_MISMATCH|REGISTRY_ERROR/),
      });
      registry.intercept = () => undefined;
    }
    await nothingNamed();
  });

  describe('what cannot be used is refused before a layer is fetched', () => {
    const described = async (mediaType: string, changes: object = {}) => {
      const config = await put(JSON.stringify({ os: 'linux', architecture: 'amd64', ...changes }), MEDIA_TYPE.config);
      const layers = [await put('good', MEDIA_TYPE.layer), { ...(await put('layer', MEDIA_TYPE.layer)), mediaType }];
      await pushed(await put(JSON.stringify({ schemaVersion: 2, config, layers }), MEDIA_TYPE.manifest));
    };
    const blobs = () => registry.requests.filter((request) => request.includes('/blobs/'));

    test.each([
      ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'is foreign: it is kept elsewhere than the image'],
      ['application/vnd.oci.image.layer.nondistributable.v1.tar', 'is foreign: it is kept elsewhere than the image'],
      ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', 'is foreign'],
      ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'is of the unknown type'],
      ['application/vnd.oci.image.layer.v1.squashfs', 'is of the unknown type'],
    ])('a layer of the type %s', async (mediaType, why) => {
      await described(mediaType);
      const pulling = pullImage(reference, remote, there);
      await expect(pulling).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
      for (const part of [`layer 2 (${digestOf('layer')}) ${why}`, mediaType])
        await expect(pulling).rejects.toThrow(part);
      expect(blobs()).toEqual([]);
      await nothingNamed();
    });

    test('an image for another machine, which only its config says', async () => {
      await described(MEDIA_TYPE.layer, { architecture: 'arm64' });
      await expect(pullImage(reference, remote, there)).rejects.toThrow(
        'it is for linux on arm64, and only linux on amd64 can be run',
      );
      expect(blobs()).toHaveLength(1);
      await nothingNamed();
    });

    test('an index without amd64, with the platforms that it has', async () => {
      const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
      const manifests = [{ ...(await putImage('1')), platform }];
      await pushed(await put(JSON.stringify({ schemaVersion: 2, manifests }), MEDIA_TYPE.index));
      await expect(pullImage(reference, remote, there)).rejects.toThrow('it has linux/arm64/v8');
      expect(registry.requests).toEqual(['GET /v2/a/b/manifests/1']);
    });

    test('not what is no image: its layers are its own concern', async () => {
      const config = await put('{}', MEDIA_TYPE.empty);
      const layers = [{ ...(await put('chart', MEDIA_TYPE.layer)), mediaType: 'application/x-chart' }];
      await pushed(await put(JSON.stringify({ schemaVersion: 2, config, layers }), MEDIA_TYPE.manifest));
      await expect(pullImage(reference, remote, there)).resolves.toBeDefined();
    });
  });

  test('one failure stops the rest', async () => {
    await pushed(await putImage('1', '2', '3', '4', '5', '6'));
    registry.blobs.delete(digestOf('1'));
    await expect(pullImage(reference, remote, there, { concurrency: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(registry.requests.filter((request) => request.includes('/blobs/'))).toHaveLength(2);
    await nothingNamed();
  });
});

describe('concurrently', () => {
  test('at most so many at once, all of them', async () => {
    let [now, most] = [0, 0];
    const done: number[] = [];
    await concurrently([1, 2, 3, 4, 5, 6, 7], 3, undefined, async (item) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      done.push(item);
    });
    expect(most).toBe(3);
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('the first failure is thrown, after those under way have ended', async () => {
    const ended: string[] = [];
    const working = concurrently(['fails', 'waits', 'never'], 2, undefined, async (item, signal) => {
      if (item === 'fails') throw new Error('first');
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      ended.push(item);
      throw new Error('second');
    });
    await expect(working).rejects.toThrow('first');
    expect(ended).toEqual(['waits']);
  });

  test('an abort from outside', async () => {
    const abort = AbortSignal.abort(new Error('enough'));
    await expect(concurrently([1], 1, abort, async () => {})).rejects.toThrow('enough');
  });
});
