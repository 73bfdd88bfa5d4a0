// SPDX-License-Identifier: Apache-2.0
// Stressors that the suites' kernel has options for, in ring 0. All of them: `npm run test:stressors`. That kernel takes
// minutes to build and nothing else needs it, so this is a part of `npm run test:kernel`.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPlan } from './guest.ts';
import { kernelOf } from './kernels.ts';
import { makeRoot } from './root.ts';
import { stressorPlan } from './stressor-list.ts';

const NAMES = ['netlink-task', 'netlink-proc', 'sockdiag', 'fanotify', 'key', 'landlock', 'tun'];
const missing = ['busybox', 'stress-ng'].filter((tool) => spawnSync(tool, ['--help']).error !== undefined);
const isWanted = process.env.UK_TEST_SUITES_KERNEL !== undefined;
const lacking = missing.length === 0 ? '' : ` (skipped: not installed here: ${missing.join(', ')})`;
const why = isWanted ? lacking : ' (skipped: npm run test:kernel builds the kernel for it)';

test.skipIf(why !== '')(
  `the suites' kernel has what stressors ask for${why}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'uk-stressors-'));
    try {
      const { vmlinux } = await kernelOf('ring0');
      const archive = await makeRoot(folder, { tests: {}, programs: ['stress-ng'] });
      const plan = stressorPlan(NAMES, { seconds: 1, folder: '/tmp' });
      const { results, complaints } = await runPlan({ vmlinux, archive, cpus: 2, memory: '512M' }, plan, {
        folder: join(folder, 'logs'),
      });
      for (const { name, outcome, output } of results) expect([name, outcome, output]).toEqual([name, 'pass', output]);
      expect(results.length).toBe(NAMES.length);
      expect(complaints).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  900_000,
);
