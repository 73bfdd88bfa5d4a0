// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestHex, MEDIA_TYPE } from '../../image-format/index.ts';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage, writeLayout } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';
import { watchRequests } from './watch.ts';

const { missing, title } = needing('skopeo', 'skopeo');

describe.skipIf(missing)(title, () => {
  let registry: RunningRegistry;
  let home: Home;

  beforeAll(async () => {
    registry = await startRegistry();
    home = await makeHome();
  });
  afterAll(async () => {
    expect(registry.errors).toEqual([]);
    await registry.stop();
    await home.remove();
  });

  const skopeo = (...args: string[]) => home.run('skopeo', ['--insecure-policy', ...args]);

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`copies an image of ${compression} layers there and back, byte for byte`, async () => {
      const image = await sampleImage({ compression });
      const [layout, out] = [home.path(`in-${compression}`), home.path(`out-${compression}`)];
      await writeLayout(layout, image, 't');
      const remote = `docker://${registry.host}/copied/${compression}:t`;
      await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:t`, remote);
      await skopeo('copy', '--src-tls-verify=false', remote, `oci:${out}:t`);
      for (const [digest, bytes] of [...image.blobs, [image.digest, image.manifest] as const]) {
        expect((await readFile(join(out, 'blobs/sha256', digestHex(digest)))).equals(bytes)).toBe(true);
      }
      const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', remote));
      expect(inspected).toMatchObject({ Digest: image.digest, RepoTags: ['t'], Layers: image.layers });
    });
  }

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`copies ${compression} layers between repositories by mounting them, lists and deletes`, async () => {
      const image = await sampleImage({ compression, layers: [{ 'srv/mounted': `${compression} from elsewhere` }] });
      const layout = home.path(`mount-${compression}`);
      await writeLayout(layout, image, 't');
      const to = `second/deep/${compression}`;
      const [first, second] = [`docker://${registry.host}/first/${compression}:t`, `docker://${registry.host}/${to}:t`];
      await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:t`, first);
      const watch = watchRequests(registry);
      await skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', first, second);
      watch.stop();
      // It always sends the config, and mounts every layer.
      expect(watch.mounted(to)).toEqual(image.layers);
      expect(watch.uploaded(to)).toEqual([image.config]);
      const { Tags } = JSON.parse(await skopeo('list-tags', '--tls-verify=false', `docker://${registry.host}/${to}`));
      expect(Tags).toEqual(['t']);
      await skopeo('delete', '--tls-verify=false', second);
      await expect(skopeo('inspect', '--tls-verify=false', second)).rejects.toThrow(/manifest unknown/i);
      await skopeo('inspect', '--tls-verify=false', first);
    });
  }

  test('pushes Docker manifests as well', async () => {
    const image = await sampleImage({ layers: [{ 'srv/docker': 'schema 2' }] });
    await writeLayout(home.path('docker'), image, 't');
    const remote = `docker://${registry.host}/schema2:t`;
    await skopeo('copy', '--format=v2s2', '--dest-tls-verify=false', `oci:${home.path('docker')}:t`, remote);
    const raw = JSON.parse(await skopeo('inspect', '--raw', '--tls-verify=false', remote));
    expect(raw.mediaType).toBe(MEDIA_TYPE.dockerManifest);
  });

  test('copies an index with all that it lists, as it is and as a list of Docker', async () => {
    const images = await Promise.all(['one', 'two'].map((name) => sampleImage({ layers: [{ 'srv/name': name }] })));
    for (const image of images) await pushImage(registry.url, 'listed/from', image, image.config.slice(-12));
    const manifests = images.map((image, at) => ({
      mediaType: image.mediaType,
      digest: image.digest,
      size: image.manifest.length,
      platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' },
    }));
    const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests });
    const headers = { 'Content-Type': MEDIA_TYPE.index };
    const pushed = await fetch(`${registry.url}/v2/listed/from/manifests/all`, { method: 'PUT', body: index, headers });
    expect(pushed.status).toBe(201);

    const copy = async (to: string, ...format: string[]) => {
      const flags = ['--all', '--src-tls-verify=false', '--dest-tls-verify=false', ...format];
      await skopeo(
        'copy',
        ...flags,
        `docker://${registry.host}/listed/from:all`,
        `docker://${registry.host}/${to}:all`,
      );
      return JSON.parse(await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/${to}:all`));
    };
    expect(await copy('listed/same')).toEqual(JSON.parse(index));
    const list = await copy('listed/docker', '--format=v2s2');
    expect(list.mediaType).toBe(MEDIA_TYPE.dockerManifestList);
    expect(list.manifests.map((entry: { mediaType: string }) => entry.mediaType)).toEqual(
      images.map(() => MEDIA_TYPE.dockerManifest),
    );
    const answer = await fetch(`${registry.url}/v2/listed/docker/manifests/all`);
    expect(answer.headers.get('content-type')).toBe(MEDIA_TYPE.dockerManifestList);
  });
});
