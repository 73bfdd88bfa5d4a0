// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';

const { missing, title } = needing('oras', 'oras');

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

  test('attaches, discovers through the referrers API, and detaches', async () => {
    const image = await sampleImage({ layers: [{ 'srv/subject': 'of an attachment' }] });
    await pushImage(registry.url, 'oras/subject', image, 't');
    const subject = `${registry.host}/oras/subject:t`;
    await writeFile(home.path('sbom.json'), '{"sbom":true}');
    const attach = ['--disable-path-validation', '--distribution-spec', 'v1.1-referrers-api', '--format', 'json'];
    const flags = [...attach, '--artifact-type', 'application/vnd.example.sbom', '--annotation', 'a=b'];
    const attached = JSON.parse(await oras('attach', ...flags, subject, 'sbom.json'));
    const discover = async () => {
      const api = ['--distribution-spec', 'v1.1-referrers-api', '--format', 'json'];
      return JSON.parse(await oras('discover', ...api, subject));
    };
    const { referrers } = await discover();
    expect(referrers).toHaveLength(1);
    expect(referrers[0]).toMatchObject({ digest: attached.digest, artifactType: 'application/vnd.example.sbom' });
    expect(referrers[0].annotations.a).toBe('b');
    await oras('manifest delete', '--force', `${registry.host}/oras/subject@${attached.digest}`);
    expect((await discover()).referrers ?? []).toEqual([]);
  });

  test('pushes, fetches and deletes a blob alone', async () => {
    await writeFile(home.path('blob'), 'a blob alone');
    const pushed = JSON.parse(await oras('blob push', '--descriptor', `${registry.host}/oras/blob`, 'blob'));
    const ref = `${registry.host}/oras/blob@${pushed.digest}`;
    expect(await oras('blob fetch', '--output', '-', ref)).toBe('a blob alone');
    await oras('blob delete', '--force', ref);
    await expect(oras('blob fetch', '--output', '-', ref)).rejects.toThrow(/not found/i);
  });
});
