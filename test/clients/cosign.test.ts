// SPDX-License-Identifier: Apache-2.0
// cosign 3, with a pair of keys of its own and neither transparency log nor time stamps: nothing leaves this machine.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referrersOf, tagsOf } from './listed.ts';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { findTool, type Home, makeHome, needing } from './tools.ts';

const { missing, title: name } = needing('cosign', 'cosign');
// Builds of Debian do not know their version; what came with 3 tells them apart.
const old = !missing && spawnSync(findTool('cosign') ?? '', ['signing-config', 'create', '--help']).status !== 0;
const title = old ? `${name} (skipped: the one here is older than 3)` : name;

/** What cosign calls its signatures and attestations, which are bundles of sigstore's. */
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const OFFLINE = '--insecure-ignore-tlog=true';

describe.skipIf(missing || old)(title, () => {
  let registry: RunningRegistry;
  let home: Home;

  /** It keeps keys where it runs, and asks for their password unless there is one, an empty one too. */
  const cosign = (...args: string[]) =>
    home.run('cosign', args, { cwd: home.folder, env: { ...home.environment, COSIGN_PASSWORD: '' } });
  const sign = ['--yes', '--key', 'uk.key', '--signing-config', 'offline.json'];

  beforeAll(async () => {
    registry = await startRegistry();
    home = await makeHome();
    await cosign('generate-key-pair', '--output-key-prefix', 'uk');
    await cosign('generate-key-pair', '--output-key-prefix', 'other');
    await cosign('signing-config', 'create', '--out', 'offline.json');
  });
  afterAll(async () => {
    expect(registry.errors).toEqual([]);
    await registry.stop();
    await home.remove();
  });

  for (const compression of ['gzip', 'zstd'] as const) {
    describe(`and an image of ${compression} layers`, () => {
      const repository = `cosign/${compression}`;
      const ref = () => `${registry.host}/${repository}`;

      test('signs it and verifies that, through the referrers API', async () => {
        const image = await sampleImage({ compression });
        await pushImage(registry.url, repository, image, 't');
        await expect(cosign('verify', '--key', 'uk.pub', OFFLINE, `${ref()}:t`)).rejects.toThrow(/no signatures found/);
        await cosign('sign', ...sign, `${ref()}@${image.digest}`);

        const [verified] = JSON.parse(await cosign('verify', '--key', 'uk.pub', OFFLINE, `${ref()}:t`));
        expect(verified.critical.image['docker-manifest-digest']).toBe(image.digest);
        await expect(cosign('verify', '--key', 'other.pub', OFFLINE, `${ref()}:t`)).rejects.toThrow(/verif/);
        const referrers = await referrersOf(registry, repository, image.digest);
        expect(referrers.map((entry) => entry.artifactType)).toEqual([BUNDLE]);
        expect(await tagsOf(registry, repository)).toEqual(['t']);
      });

      test('attests something of it and verifies that', async () => {
        const image = await sampleImage({ compression, layers: [{ 'srv/attested': compression }] });
        await pushImage(registry.url, repository, image, 'attested');
        await writeFile(home.path('predicate.json'), '{"built":"here"}');
        const about = ['--type', 'custom', '--predicate', 'predicate.json'];
        await cosign('attest', ...sign, ...about, `${ref()}@${image.digest}`);

        const verify = ['--type', 'custom', OFFLINE, `${ref()}:attested`];
        const verified = JSON.parse(await cosign('verify-attestation', '--key', 'uk.pub', ...verify));
        const statement = JSON.parse(Buffer.from(verified.payload, 'base64').toString());
        expect(statement.subject[0].digest.sha256).toBe(image.digest.replace('sha256:', ''));
        await expect(cosign('verify-attestation', '--key', 'other.pub', ...verify)).rejects.toThrow(/verif/);
        expect(await referrersOf(registry, repository, image.digest)).toHaveLength(1);
        expect(await tagsOf(registry, repository)).toEqual(['attested', 't']);
      });
    });
  }
});
