// SPDX-License-Identifier: Apache-2.0
// The kernel's selftests, musl's libc-test and stress-ng in guests, on the kernel with programs in ring 0 and on the same
// kernel with programs in ring 3: `npm run test:kernel-suites -- --help`. Ends with 0 where ring 0 does all that ring 3
// does, but for the list in expected.ts.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../../../kernel-build/command.ts';
import { compare, runsOf } from './compare.ts';
import { EXPECTED } from './expected.ts';
import { type Run, runPlan } from './guest.ts';
import { kernelOf, RINGS, type Ring } from './kernels.ts';
import { compileLibcTests } from './libc-test.ts';
import { startPeer } from './peer.ts';
import type { PlannedTest } from './plan.ts';
import { renderTable, summaryOf } from './render.ts';
import type { TestResult } from './results.ts';
import { makeRoot } from './root.ts';
import { compileSelftests } from './selftests.ts';
import { GROUPS, stressPlan } from './stress.ts';

const HELP = `usage: npm run test:kernel-suites -- [options]

  --only PATTERN      only tests whose name has it (a regular expression), as selftests/x86 or stress/fork
  --stress SECONDS    how long stress-ng runs on each kernel (default 600; 0: not at all)
  --libc-test FOLDER  a copy of musl's libc-test; without it that suite is left out
  --cc COMPILER       what libc-test is compiled with (default musl-gcc)
  --quick             in ring 3 only what does not pass in ring 0, as nothing else can be worse
  --tries N           runs of a test in both rings before its failure in ring 0 counts (default 3)
  --cpus N            processors of a guest (default 2)
  --folder FOLDER     keep logs there (default: a temporary folder, removed where nothing is wrong)
  --json              print everything as JSON, progress on the standard error
  --help              print this
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    stress: { type: 'string', default: '600' },
    'libc-test': { type: 'string' },
    cc: { type: 'string', default: 'musl-gcc' },
    quick: { type: 'boolean', default: false },
    tries: { type: 'string', default: '3' },
    cpus: { type: 'string', default: '2' },
    folder: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const began = Date.now();
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(name)));
  const { signal } = stop;
  const note = (text: string) => console.error(`${clock(Date.now() - began)} ${text}`);
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'uk-suites-')));
  await mkdir(folder, { recursive: true });
  await using peer = await startPeer();

  const selftests = await compileSelftests(undefined, { signal, onStep: note });
  if (selftests.missing.length > 0) note(`do not compile here: ${selftests.missing.join(', ')}`);
  const libc = await libcTests(join(folder, 'libc-test'));
  if (libc === undefined) note('without libc-test: --libc-test names no copy of it');
  else if (libc.missing.length > 0) note(`do not compile here: ${libc.missing.join(', ')}`);
  const archive = await makeRoot(await emptied(join(folder, 'root')), {
    tests: { selftests: selftests.folder, ...(libc === undefined ? {} : { 'libc-test': libc.folder }) },
    programs: ['stress-ng'],
  });

  const seconds = Number(values.stress);
  const wanted = new RegExp(values.only ?? '');
  const groups = Object.keys(GROUPS).filter((name) => wanted.test(`stress/${name}`));
  const stress =
    seconds > 0 && groups.length > 0 ? stressPlan({ seconds, peerPort: peer.port, disk: true, groups }) : [];
  const plan = [...selftests.plan, ...(libc?.plan ?? []), ...stress].filter(({ name }) => wanted.test(name));
  if (plan.length === 0) throw new Error(`no test is called ${values.only}`);

  const runs: Record<Ring, Run[]> = { ring0: [], ring3: [] };
  const run = async (ring: Ring, tests: readonly PlannedTest[], round: number) => {
    const kernel = await kernelOf(ring, { signal, onStep: note });
    const disk = join(folder, `disk-${ring}`);
    await makeDisk(disk);
    const where = join(folder, `${ring}-${round}`);
    const machine = { vmlinux: kernel.vmlinux, archive, cpus: Number(values.cpus), memory: '2G', disk };
    const onResult = (result: TestResult, done: number, total: number) =>
      note(`${ring} ${done}/${total} ${result.name}: ${result.outcome} (${result.ending}, ${result.milliseconds} ms)`);
    runs[ring].push(await runPlan(machine, tests, { folder: where, signal, onResult }));
    await checkDisk(disk, runs[ring].at(-1));
  };
  const compared = () =>
    compare(
      runsOf(runs.ring0.flatMap(({ results }) => results)),
      runsOf(runs.ring3.flatMap(({ results }) => results)),
      EXPECTED,
    );
  await run('ring0', plan, 0);
  const passed = new Set(runs.ring0[0]?.results.filter(isClean).map(({ name }) => name));
  for (const { name } of EXPECTED) passed.delete(name.split(': ', 1)[0] ?? name);
  const toCompare = plan.filter(({ name }) => !values.quick || !passed.has(name));
  if (toCompare.length > 0) await run('ring3', toCompare, 0);
  for (let round = 1; round < Number(values.tries); round++) {
    const open = new Set(
      compared().flatMap(({ name, verdict }) => (verdict === 'worse' ? [name.split(': ', 1)[0]] : [])),
    );
    const again = plan.filter(({ name }) => open.has(name));
    if (again.length === 0) break;
    note(`once more: ${again.map(({ name }) => name).join(', ')}`);
    for (const ring of RINGS) await run(ring, again, round);
  }

  const rows = compared();
  const summary = summaryOf(rows, runs);
  const report = { seconds: Math.round((Date.now() - began) / 1000), summary, rows, runs };
  await writeFile(join(folder, 'report.json'), JSON.stringify(report, null, 1));
  console.log(values.json ? JSON.stringify(report, null, 2) : renderTable(rows, summary));
  note(`logs and report.json: ${folder}`);
  if (summary.ok && values.folder === undefined) await rm(folder, { recursive: true });
  return summary.ok ? 0 : 1;
}

/** It passed, and each of its cases did. */
function isClean({ outcome, cases }: TestResult): boolean {
  return [outcome, ...Object.values(cases)].every((each) => each === 'pass');
}

async function libcTests(output: string) {
  const source = values['libc-test'];
  return source === undefined ? undefined : compileLibcTests(source, await emptied(output), values.cc);
}

async function emptied(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

async function makeDisk(path: string): Promise<void> {
  await rm(path, { force: true });
  await runCommand('mke2fs', ['-q', '-t', 'ext4', '-F', path, '1G']);
}

/** The file system must be whole after all that was done to it, even where a guest was ended. */
async function checkDisk(path: string, run: Run | undefined): Promise<void> {
  // The first pass replays the journal of a guest that was ended.
  await runCommand('e2fsck', ['-p', path]).catch(() => undefined);
  const failed = await runCommand('e2fsck', ['-f', '-n', path]).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (failed !== undefined) (run?.trouble as string[] | undefined)?.push(`the disk is damaged: ${failed}`);
  await rm(path, { force: true });
}

function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
