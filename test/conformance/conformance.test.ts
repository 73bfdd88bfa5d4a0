// SPDX-License-Identifier: Apache-2.0
// The official conformance suite against our registry: on a folder, and in the project `s3` on a bucket.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../clients/running-registry.ts';
import { freshPrefix } from '../s3/server.ts';
import { serveRegistry, temporaryFolder } from '../whole/command.ts';
import { findSuite, runSuite, suiteVersion, told, VERSIONS } from './suite.ts';

const missing = findSuite() === undefined;
const title = `the official conformance suite ${suiteVersion()}`;
const why = `${title} (skipped: it is not built here; to get it: sh test/setup/conformance-suite.sh)`;

describe.skipIf(missing)(missing ? why : title, { timeout: 900_000 }, () => {
  for (const sparse of [false, true]) {
    describe(sparse ? 'and a registry that takes manifests with holes' : 'and a registry as it comes', () => {
      let registry: RunningRegistry;

      beforeAll(async () => {
        registry = await startRegistry({ sparseManifests: sparse });
      });
      afterAll(async () => {
        expect(registry.errors).toEqual([]);
        await registry.stop();
      });

      for (const version of VERSIONS) {
        test(`${version}, all options on${sparse ? '' : ' but that one'}: none fails, none is skipped`, async () => {
          const outcome = await runSuite({ host: registry.host, version, sparse });
          console.log(`conformance ${version}${sparse ? ', sparse' : ''}: ${told(outcome)}`);
          expect(outcome.off).toEqual(sparse ? [] : ['data.sparse']);
          expect(outcome.notPassed).toEqual([]);
          expect(outcome).toMatchObject({ failed: 0, skipped: 0, passed: outcome.total });
          // A suite that stopped early has passed as well.
          expect(outcome.total).toBeGreaterThan(900);
        });
      }

      if (!sparse) {
        test('refuses manifests with holes, and the suite sees that, and only that', async () => {
          const outcome = await runSuite({ host: registry.host, version: 'dev', sparse: true });
          expect(outcome.failed).toBeGreaterThan(0);
          expect(outcome.off).toEqual([]);
          for (const name of outcome.notPassed) expect(name).toMatch(/^sparse\//);
        });
      }
    });
  }

  test('and `uk registry serve` with three worker processes: none fails, none is skipped', async () => {
    await using folder = await temporaryFolder();
    const { where, env } = process.env.UK_TEST_STORAGE === 's3' ? bucket() : { where: folder.path, env: {} };
    const settings = { UK_REGISTRY_WORKERS: '3', UK_REGISTRY_MANIFESTS_SPARSE: 'true', UK_REGISTRY_LOG_LEVEL: 'error' };
    const server = await serveRegistry(where, { env: { ...env, ...settings } });
    try {
      const outcome = await runSuite({ host: server.host, version: 'dev', sparse: true });
      console.log(`conformance dev, sparse, three workers: ${told(outcome)}`);
      expect(outcome.notPassed).toEqual([]);
      expect(outcome).toMatchObject({ failed: 0, skipped: 0, passed: outcome.total });
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });
});

/** Where the tests of this run keep things on S3, as the command and its environment say it. */
function bucket() {
  const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey } = freshPrefix();
  return {
    where: `s3://${bucket}/${prefix}`,
    env: {
      UK_REGISTRY_STORAGE_ENDPOINT: endpoint,
      UK_REGISTRY_STORAGE_REGION: region,
      UK_REGISTRY_STORAGE_ACCESS_KEY_ID: accessKeyId,
      UK_REGISTRY_STORAGE_SECRET_ACCESS_KEY: secretAccessKey,
      UK_REGISTRY_STORAGE_PATH_STYLE: 'true',
    },
  };
}
