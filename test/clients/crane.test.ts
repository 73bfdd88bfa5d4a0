// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestHex } from '../../image-format/index.ts';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage, writeLayout } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';

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

  test('copies across repositories, tags, lists and deletes', async () => {
    const image = await sampleImage({ layers: [{ 'srv/crane': 'copied' }] });
    await pushImage(registry.url, 'crane/source', image, 't');
    const [source, target] = [`${registry.host}/crane/source:t`, `${registry.host}/crane/target:t`];
    await crane('copy', source, target);
    await crane('tag', target, 'other');
    expect(await crane('ls', `${registry.host}/crane/target`)).toBe('other\nt');
    expect((await crane('catalog', registry.host)).split('\n')).toContain('crane/target');
    await crane('delete', `${registry.host}/crane/target@${image.digest}`);
    expect(await crane('ls', `${registry.host}/crane/target`)).toBe('');
    await crane('validate', '--remote', source);
  });

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
