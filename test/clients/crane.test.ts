// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestHex } from '../../image-format/index.ts';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage, writeLayout } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';
import { watchRequests } from './watch.ts';

const { missing, title } = needing('crane', 'crane');

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

  const crane = async (...args: string[]) => (await home.run('crane', args)).trim();

  test('pushes a layout, validates it to the last byte, and pulls it again', async () => {
    const image = await sampleImage();
    await writeLayout(home.path('in'), image, 't');
    const ref = `${registry.host}/crane/pushed:1`;
    await crane('push', home.path('in'), ref);
    expect(await crane('digest', ref)).toBe(image.digest);
    await crane('validate', '--remote', ref);
    await crane('pull', '--format=oci', ref, home.path('out'));
    const layer = image.layers[0];
    if (layer === undefined) throw new Error('the sample has layers');
    expect(
      (await readFile(join(home.path('out'), 'blobs/sha256', digestHex(layer)))).equals(
        image.blobs.get(layer) ?? Buffer.of(),
      ),
    ).toBe(true);
  });

  test('reads zstd layers as far as it can', async () => {
    const image = await sampleImage({ compression: 'zstd' });
    await pushImage(registry.url, 'crane/zstd', image, 't');
    await crane('validate', '--fast', '--remote', `${registry.host}/crane/zstd:t`);
  });

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`copies ${compression} layers across repositories by mounting them, tags, lists and deletes`, async () => {
      const image = await sampleImage({ compression, layers: [{ 'srv/crane': 'copied' }] });
      const [from, to] = [`crane/source-${compression}`, `crane/target-${compression}`];
      await pushImage(registry.url, from, image, 't');
      const [source, target] = [`${registry.host}/${from}:t`, `${registry.host}/${to}:t`];
      const watch = watchRequests(registry);
      await crane('copy', source, target);
      watch.stop();
      expect(watch.mounted(to)).toEqual([...image.blobs.keys()].toSorted());
      expect(watch.uploaded(to)).toEqual([]);

      await crane('tag', target, 'other');
      await crane('tag', target, 'third');
      expect(await crane('ls', `${registry.host}/${to}`)).toBe('other\nt\nthird');
      expect((await crane('catalog', registry.host)).split('\n')).toContain(to);
      await crane('delete', `${registry.host}/${to}:third`);
      expect(await crane('ls', `${registry.host}/${to}`)).toBe('other\nt');
      await crane('delete', `${registry.host}/${to}@${image.digest}`);
      expect(await crane('ls', `${registry.host}/${to}`)).toBe('');
      await crane('validate', '--fast', '--remote', source);
    });
  }

  test('appends a layer to an image that is only here', async () => {
    const base = await sampleImage({ layers: [{ 'srv/base': 'below' }] });
    await pushImage(registry.url, 'crane/base', base, 't');
    const layer = base.blobs.get(base.layers[0] ?? base.config);
    if (layer === undefined) throw new Error('the sample has that layer');
    await writeFile(home.path('layer.tar.gz'), layer);
    const appended = `${registry.host}/crane/appended:1`;
    await crane(
      'append',
      '--base',
      `${registry.host}/crane/base:t`,
      '--new_layer',
      home.path('layer.tar.gz'),
      '--new_tag',
      appended,
    );
    await crane('validate', '--remote', appended);
  });

  test('pushes and reads an index', async () => {
    const images = await Promise.all([
      sampleImage({ layers: [{ 'srv/one': '1' }] }),
      sampleImage({ layers: [{ 'srv/two': '2' }] }),
    ]);
    for (const [at, image] of images.entries()) await pushImage(registry.url, 'crane/index', image, `part-${at}`);
    const parts = images.flatMap((image) => ['-m', `${registry.host}/crane/index@${image.digest}`]);
    await crane('index', 'append', '--docker-empty-base', ...parts, '-t', `${registry.host}/crane/index:all`);
    const index = JSON.parse(await crane('manifest', `${registry.host}/crane/index:all`));
    expect(index.manifests.map((entry: { digest: string }) => entry.digest)).toEqual(
      images.map((image) => image.digest),
    );
    await crane('validate', '--remote', `${registry.host}/crane/index:all`);
  });
});
