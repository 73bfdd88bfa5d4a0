// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referrersOf, tagsOf } from './listed.ts';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';

const { missing, title } = needing('notation', 'notation');
const SIGNATURE = 'application/vnd.cncf.notary.signature';

describe.skipIf(missing)(title, () => {
  let registry: RunningRegistry;
  let home: Home;

  /** `args` with the flag for plain HTTP behind the command's word. */
  const notation = (word: string, ...args: string[]) => home.run('notation', [word, '--insecure-registry', ...args]);

  beforeAll(async () => {
    registry = await startRegistry();
    home = await makeHome();
    await home.run('notation', ['cert', 'generate-test', '--default', 'uk-test']);
    const policy = {
      name: 'everything-here',
      registryScopes: ['*'],
      signatureVerification: { level: 'strict' },
      trustStores: ['ca:uk-test'],
      trustedIdentities: ['*'],
    };
    const file = home.path('config/notation/trustpolicy.json');
    await writeFile(file, JSON.stringify({ version: '1.0', trustPolicies: [policy] }));
  });
  afterAll(async () => {
    expect(registry.errors).toEqual([]);
    await registry.stop();
    await home.remove();
  });

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`signs an image of ${compression} layers, lists and verifies that, through the referrers API`, async () => {
      const image = await sampleImage({ compression });
      const repository = `notation/${compression}`;
      await pushImage(registry.url, repository, image, 't');
      const ref = `${registry.host}/${repository}@${image.digest}`;
      await expect(notation('verify', ref)).rejects.toThrow(/no signature/);
      // Left alone it stores a tag as well, for registries that do not list referrers.
      for (const format of ['jws', 'cose']) {
        await notation('sign', '--force-referrers-tag=false', '--signature-format', format, ref);
      }
      expect(await notation('verify', ref)).toContain('Successfully verified');
      const listed = await notation('list', ref);
      const referrers = await referrersOf(registry, repository, image.digest);
      expect(referrers.map((entry) => entry.artifactType)).toEqual([SIGNATURE, SIGNATURE]);
      for (const { digest } of referrers) expect(listed).toContain(digest);
      expect(await tagsOf(registry, repository)).toEqual(['t']);
    });
  }
});
