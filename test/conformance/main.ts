// SPDX-License-Identifier: Apache-2.0
// The official conformance suite by itself: `npm run test:conformance`, against a registry of ours that is started for it;
// `-- --s3` the same on an S3 server; `-- --url http://127.0.0.1:5000` (or $UK_TEST_REGISTRY_URL) against one that runs
// already, `--sparse` if it takes manifests with holes. Ends with 0 where nothing fails and nothing is skipped.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { startRegistry } from '../clients/running-registry.ts';
import { runSuite, suiteVersion, told, VERSIONS } from './suite.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    sparse: { type: 'boolean', default: false },
    s3: { type: 'boolean', default: false },
  },
});
/** Names of tests that did not pass; where the registry is away that is every one. */
const SHOWN = 20;
const url = values.url ?? process.env.UK_TEST_REGISTRY_URL;

console.log(`conformance suite ${suiteVersion()}`);
if (values.s3) {
  // The server comes with that project.
  const { status } = spawnSync('vitest', ['run', '--project', 's3', 'test/conformance'], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else if (url === undefined) {
  for (const sparse of [false, true]) {
    const registry = await startRegistry({ sparseManifests: sparse });
    try {
      await ask(registry.host, sparse);
    } finally {
      await registry.stop();
    }
  }
} else {
  await ask(new URL(url).host, values.sparse);
}

async function ask(host: string, sparse: boolean): Promise<void> {
  for (const version of VERSIONS) {
    const outcome = await runSuite({ host, version, sparse });
    console.log(`${version.padEnd(4)}${sparse ? ' sparse' : ''}: ${told(outcome)}`);
    for (const name of outcome.notPassed.slice(0, SHOWN)) console.log(`  ${name}`);
    if (outcome.notPassed.length > SHOWN) console.log(`  and ${outcome.notPassed.length - SHOWN} more`);
    if (outcome.passed !== outcome.total) process.exitCode = 1;
  }
}
