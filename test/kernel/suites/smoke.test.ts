// SPDX-License-Identifier: Apache-2.0
// That test/kernel/suites works: a few of the kernel's selftests and of stress-ng's stressors, on the kernel that every
// image gets by default. The whole of it is `npm run test:kernel-suites`.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../../hardware-profiles/index.ts';
import { kernelFor } from '../../../kernel-build/index.ts';
import { type Run, runPlan } from './guest.ts';
import { type Peer, startPeer } from './peer.ts';
import type { PlannedTest } from './plan.ts';
import { makeRoot } from './root.ts';
import { SMOKE } from './selftest-list.ts';
import { compileSelftests } from './selftests.ts';
import { stressPlan } from './stress.ts';

const NEEDED = ['rsync', 'busybox', 'stress-ng'];
const missing = NEEDED.filter((tool) => {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', tool]);
    return false;
  } catch {
    return true;
  }
});
const title = "some of the kernel's selftests and of stress-ng, in ring 0";
const why = `${title} (skipped: not installed here: ${missing.join(', ')}; to get them: sh test/setup/debian.sh test)`;

describe.skipIf(missing.length > 0)(missing.length > 0 ? why : title, () => {
  let folder: string;
  let peer: Peer;
  let plan: PlannedTest[];
  let run: Run;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uk-suites-'));
    peer = await startPeer();
    const selftests = await compileSelftests(SMOKE);
    expect(selftests.missing).toEqual([]);
    const archive = await makeRoot(folder, { tests: { selftests: selftests.folder }, programs: ['stress-ng'] });
    const groups = ['fork', 'signals', 'faults', 'sockets'];
    const own = [
      {
        name: 'own/fails',
        seconds: 20,
        folder: '/',
        command: 'echo "not ok 1 first"; echo "ok 2 second # SKIP"; exit 1',
      },
      { name: 'own/dies', seconds: 20, folder: '/', command: 'kill -SEGV $$' },
      { name: 'own/hangs', seconds: 1, folder: '/', command: 'sleep 1000 & sleep 1000' },
      { name: 'own/ends the guest', seconds: 20, folder: '/', command: 'busybox reboot -f' },
    ];
    plan = [...own, ...selftests.plan, ...stressPlan({ seconds: 20, peerPort: peer.port, disk: false, groups })];
    const { vmlinux } = await kernelFor((await loadProfile()).kernel);
    run = await runPlan({ vmlinux, archive, cpus: 2, memory: '512M' }, plan, { folder: join(folder, 'logs') });
  });

  afterAll(async () => {
    await peer[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test('each test ran, in order', () => {
    expect(run.results.map(({ name }) => name)).toEqual(plan.map(({ name }) => name));
  });

  test('how a test ends is told, also by a guest that does not go on', () => {
    const [fails, dies, hangs, ends] = run.results;
    expect(fails).toMatchObject({ outcome: 'fail', ending: 'exit 1', cases: { first: 'fail', second: 'skip' } });
    expect(dies).toMatchObject({ outcome: 'fail', ending: 'signal 11' });
    expect(hangs).toMatchObject({ outcome: 'fail', ending: 'timeout 1' });
    expect(ends).toMatchObject({ outcome: 'fail', ending: 'the guest ended in the middle of it' });
    expect(run.guests - run.spoilt).toBe(2);
  });

  test('the selftests pass', () => {
    const results = run.results.filter(({ name }) => name.startsWith('selftests/'));
    expect(results.length).toBe(SMOKE.length);
    expect(results.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
  });

  test('stress-ng finds nothing, and data went over the network', () => {
    const results = run.results.filter(({ name }) => name.startsWith('stress/'));
    expect(results.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    for (const { cases, output } of results) {
      expect(output).toMatch(/ok 1 netload # [1-9]/);
      expect(cases).toMatchObject({ hdd: 'pass', netload: 'pass' });
    }
  });

  test('the kernel has nothing to complain of', () => {
    expect(run.complaints).toEqual([]);
    expect(run.trouble).toEqual([]);
  });
});
