// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlannedTest } from './plan.ts';
import { parseStream, type TestResult } from './results.ts';

/** Stressors try everything that they may: on this machine they run as a user who may do little. */
const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs', '--'];

/**
 * Runs a plan of stress-ng on this machine, judged as in a guest.
 *
 * @param plan makes the plan for a folder to write to
 */
export async function runOnHost(
  plan: (folder: string) => readonly PlannedTest[],
  onResult: (result: TestResult, done: number, total: number) => void,
): Promise<TestResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'uk-stressors-host-'));
  await chmod(folder, 0o777);
  const tests = plan(folder);
  const results: TestResult[] = [];
  try {
    for (const { name, seconds, command } of tests) {
      const { status, stdout, stderr } = spawnSync('setpriv', [...AS_NOBODY, ...command.split(' ')], {
        ...{ timeout: seconds * 1000, killSignal: 'SIGKILL', encoding: 'utf8', cwd: folder },
      });
      const ending = status === null ? 'signal 9' : `exit ${status}`;
      const [result] = parseStream(`\n@begin ${name}\n${stdout}${stderr}\n@end ${ending} ms 0\n`).results;
      if (result === undefined) continue;
      results.push(result);
      onResult(result, results.length, tests.length);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return results;
}
