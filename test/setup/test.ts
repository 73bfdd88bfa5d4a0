// SPDX-License-Identifier: Apache-2.0
// All tests, in the order in which a failure is cheapest: format, lint and types, unit tests, then what boots guests.
// Ends with one line of totals, after the names of what was skipped and why.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Assertion {
  status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled';
  fullName: string;
}

interface Report {
  success: boolean;
  testResults: { assertionResults: Assertion[] }[];
}

function step(name: string, command: string, args: string[]): void {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${name}: failed`);
    process.exit(1);
  }
}

// Its package for this platform, as the launcher's Node is: nothing here runs on another.
step('format and lint', 'node_modules/@biomejs/cli-linux-x64/biome', ['check', '--error-on-warnings']);
step('types', 'tsc', ['-p', '.']);
step('types of what browsers run', 'tsc', ['-p', 'registry/web/client']);

console.log('\n== tests');
// Without the project `s3`, which installs and starts an S3 server: `npm run test:s3`.
const projects = ['unit', 'whole'].flatMap((project) => ['--project', project]);
const folder = mkdtempSync(join(tmpdir(), 'uk-test-'));
const output = join(folder, 'report.json');
const vitest = spawnSync(
  'vitest',
  [
    'run',
    ...projects,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${output}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
if (!existsSync(output)) {
  console.error('the tests could not be started');
  process.exit(1);
}
const report = JSON.parse(readFileSync(output, 'utf8')) as Report;
rmSync(folder, { recursive: true });

const results = report.testResults.flatMap((file) => file.assertionResults);
const passed = results.filter((result) => result.status === 'passed').length;
const failed = results.filter((result) => result.status === 'failed').length;
const skipped = results.filter((result) => result.status !== 'passed' && result.status !== 'failed');

if (skipped.length > 0) console.log('\nSkipped (the reason stands in the name):');
for (const { fullName } of skipped) console.log(`  ${fullName}`);
console.log(`\ntests: ${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exit(vitest.status === 0 && report.success && passed > 0 ? 0 : 1);
