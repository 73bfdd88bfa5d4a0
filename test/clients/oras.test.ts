// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referrersOf, tagsOf } from './listed.ts';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';
import { watchRequests } from './watch.ts';

const { missing, title } = needing('oras', 'oras');
const SBOM = 'application/vnd.example.sbom';

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

  /** `args` with the flag for plain HTTP behind the command's words. */
  const oras = (words: string, ...args: string[]) =>
    home.run('oras', [...words.split(' '), '--plain-http', ...args], { cwd: home.folder });

  test('pushes a file, pulls it, copies it', async () => {
    const bytes = randomBytes(200_000);
    await writeFile(home.path('file.bin'), bytes);
    const ref = `${registry.host}/oras/file:1`;
    await oras('push', '--artifact-type', 'application/vnd.example.file', ref, 'file.bin');
    await mkdir(home.path('pulled'));
    await oras('pull', '-o', home.path('pulled'), ref);
    expect((await readFile(home.path('pulled', 'file.bin'))).equals(bytes)).toBe(true);
    await home.run('oras', ['cp', '--from-plain-http', '--to-plain-http', ref, `${registry.host}/oras/copy:1`]);
    expect((await oras('repo tags', `${registry.host}/oras/copy`)).trim()).toBe('1');
    expect(await oras('repo ls', `${registry.host}/`)).toContain('oras/copy');
  });

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`attaches to ${compression} images, discovers and detaches through the referrers API`, async () => {
      const image = await sampleImage({ compression, layers: [{ 'srv/subject': 'of an attachment' }] });
      const repository = `oras/subject-${compression}`;
      await pushImage(registry.url, repository, image, 't');
      const subject = `${registry.host}/${repository}:t`;
      await writeFile(home.path('sbom.json'), '{"sbom":true}');
      // Left to choose by itself, which it does by what the registry answers.
      const attach = ['--disable-path-validation', '--format', 'json', '--annotation', 'a=b'];
      const attached = JSON.parse(await oras('attach', ...attach, '--artifact-type', SBOM, subject, 'sbom.json'));
      const discover = async (...filter: string[]) =>
        JSON.parse(await oras('discover', '--format', 'json', ...filter, subject)).referrers ?? [];
      const referrers = await discover();
      expect(referrers).toHaveLength(1);
      expect(referrers[0]).toMatchObject({ digest: attached.digest, artifactType: SBOM, annotations: { a: 'b' } });
      expect(await discover('--artifact-type', SBOM)).toHaveLength(1);
      expect(await discover('--artifact-type', 'application/vnd.example.other')).toEqual([]);
      expect(await tagsOf(registry, repository)).toEqual(['t']);

      await oras('manifest delete', '--force', `${registry.host}/${repository}@${attached.digest}`);
      expect(await discover()).toEqual([]);
      expect(await tagsOf(registry, repository)).toEqual(['t']);
    });

    test(`copies a ${compression} image with what is attached to it, by mounting`, async () => {
      const image = await sampleImage({ compression, layers: [{ 'srv/copied': 'with its referrers' }] });
      const [from, to] = [`oras/from-${compression}`, `oras/to-${compression}`];
      await pushImage(registry.url, from, image, 't');
      const ref = `${registry.host}/${from}:t`;
      await writeFile(home.path('sbom.json'), `{"sbom":"${compression}"}`);
      await oras('attach', '--disable-path-validation', '--artifact-type', SBOM, ref, 'sbom.json');

      const watch = watchRequests(registry);
      const flags = ['--recursive', '--from-plain-http', '--to-plain-http'];
      await home.run('oras', ['cp', ...flags, ref, `${registry.host}/${to}:t`]);
      watch.stop();
      expect(watch.mounted(to)).toEqual(expect.arrayContaining([...image.blobs.keys()]));
      expect(watch.uploaded(to)).toEqual([]);
      expect(await referrersOf(registry, to, image.digest)).toEqual(await referrersOf(registry, from, image.digest));
      expect(await referrersOf(registry, to, image.digest)).toHaveLength(1);
      expect(await tagsOf(registry, to)).toEqual(['t']);
    });
  }

  test('pushes, fetches and deletes a blob alone', async () => {
    await writeFile(home.path('blob'), 'a blob alone');
    const pushed = JSON.parse(await oras('blob push', '--descriptor', `${registry.host}/oras/blob`, 'blob'));
    const ref = `${registry.host}/oras/blob@${pushed.digest}`;
    expect(await oras('blob fetch', '--output', '-', ref)).toBe('a blob alone');
    await oras('blob delete', '--force', ref);
    await expect(oras('blob fetch', '--output', '-', ref)).rejects.toThrow(/not found/i);
  });
});
