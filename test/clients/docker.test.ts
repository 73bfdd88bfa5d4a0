// SPDX-License-Identifier: Apache-2.0
// Docker's client, as far as it goes without its engine: lists of manifests.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MEDIA_TYPE } from '../../image-format/index.ts';
import { tagsOf } from './listed.ts';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';

const { missing, title } = needing('docker', 'docker');

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

  const manifest = (word: string, ...args: string[]) => home.run('docker', ['manifest', word, ...args]);

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`makes a list of images of ${compression} layers, pushes and reads it`, async () => {
      const repository = `docker/${compression}`;
      const images = await Promise.all(
        ['amd64', 'arm64'].map((architecture) => sampleImage({ compression, layers: [{ 'etc/for': architecture }] })),
      );
      for (const [at, image] of images.entries()) await pushImage(registry.url, repository, image, `part-${at}`);
      const all = `${registry.host}/${repository}:all`;
      const parts = images.map((_, at) => `${registry.host}/${repository}:part-${at}`);
      await manifest('create', '--insecure', all, ...parts);
      await manifest('annotate', '--arch', 'arm64', all, parts[1] ?? '');
      const digest = (await manifest('push', '--insecure', all)).trim();

      const answer = await fetch(`${registry.url}/v2/${repository}/manifests/all`);
      expect(answer.headers.get('docker-content-digest')).toBe(digest);
      expect([MEDIA_TYPE.index, MEDIA_TYPE.dockerManifestList]).toContain(answer.headers.get('content-type'));
      const read = JSON.parse(await manifest('inspect', '--insecure', all));
      expect(read.manifests.map((entry: { digest: string }) => entry.digest).toSorted()).toEqual(
        images.map((image) => image.digest).toSorted(),
      );
      expect(await tagsOf(registry, repository)).toEqual(['all', 'part-0', 'part-1']);
    });
  }
});
