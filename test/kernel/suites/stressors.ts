// SPDX-License-Identifier: Apache-2.0
// Each of stress-ng's stressors that concern the kernel, alone and for a moment: in a guest in ring 0, in a guest in ring 3,
// and on this machine as an ordinary user. `npm run test:stressors -- --help`.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../../../kernel-build/command.ts';
import { runPlan } from './guest.ts';
import { kernelOf, RINGS, type Ring } from './kernels.ts';
import { runOnHost } from './on-host.ts';
import type { TestResult } from './results.ts';
import { makeRoot } from './root.ts';
import { EXCUSED, stressorNames, stressorPlan } from './stressor-list.ts';

const HELP = `usage: npm run test:stressors -- [options]

  --only PATTERN   only stressors whose name matches (a regular expression)
  --seconds N      how long each one runs (default 1)
  --no-host        not on this machine
  --folder FOLDER  keep logs there (default: a temporary folder)
  --help           print this

Prints a table of the stressors that do not pass everywhere. Ends with 1 where one does not pass in ring 0 and is not
excused in stressor-list.ts, or passes in ring 3 and not in ring 0.
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '1' },
    'no-host': { type: 'boolean', default: false },
    folder: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

export type Column = Ring | 'host';

if (values.help) console.log(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'uk-stressors-')));
  await mkdir(folder, { recursive: true });
  const wanted = new RegExp(values.only);
  const names = stressorNames().filter((name) => wanted.test(name));
  const seconds = Number(values.seconds);
  const scratch = join(folder, 'root');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch);
  const archive = await makeRoot(scratch, { tests: {}, programs: ['stress-ng'] });
  const results = new Map<Column, Map<string, TestResult>>();
  const note = (column: Column) => (result: TestResult, done: number, total: number) => {
    console.error(`${column} ${done}/${total} ${result.name}: ${result.outcome} (${result.ending})`);
  };
  const inGuest = async (ring: Ring): Promise<void> => {
    const kernel = await kernelOf(ring, { onStep: (text) => console.error(text) });
    const disk = join(folder, `disk-${ring}`);
    await rm(disk, { force: true });
    await runCommand('mke2fs', ['-q', '-t', 'ext4', '-F', disk, '4G']);
    const machine = { vmlinux: kernel.vmlinux, archive, cpus: 2, memory: '1G', disk };
    const where = join(folder, ring);
    const run = await runPlan(machine, stressorPlan(names, { seconds, folder: '/disk', pathological: true }), {
      folder: where,
      onResult: note(ring),
    });
    results.set(ring, byName(run.results));
    for (const { test, line } of run.complaints) console.error(`${ring} ${test}: the kernel says: ${line}`);
    await rm(disk);
  };
  // One builds its kernel while the other runs.
  for (const ring of RINGS) await kernelOf(ring, { onStep: (text) => console.error(text) });
  await Promise.all(RINGS.map(inGuest));
  if (!values['no-host']) {
    results.set(
      'host',
      byName(await runOnHost((where) => stressorPlan(names, { seconds, folder: where }), note('host'))),
    );
  }
  await writeFile(
    join(folder, 'results.json'),
    JSON.stringify(Object.fromEntries([...results].map(([column, map]) => [column, [...map.values()]])), null, 1),
  );
  console.log(render(names, results));
  if (values.folder === undefined) await rm(folder, { recursive: true });
  return names.some((name) => isWorse(name, results)) ? 1 : 0;
}

function byName(results: readonly TestResult[]): Map<string, TestResult> {
  return new Map(results.map((result) => [result.name.replace('stress/', ''), result]));
}

function isWorse(name: string, results: ReadonlyMap<Column, ReadonlyMap<string, TestResult>>): boolean {
  const outcome = (ring: Ring) => results.get(ring)?.get(name)?.outcome;
  return outcome('ring0') !== 'pass' && (outcome('ring3') === 'pass' || !EXCUSED.has(name));
}

function render(names: readonly string[], results: ReadonlyMap<Column, ReadonlyMap<string, TestResult>>): string {
  const columns = [...results.keys()];
  const outcomes = (name: string) => columns.map((column) => results.get(column)?.get(name)?.outcome ?? 'not run');
  const odd = names.filter((name) => outcomes(name).some((outcome) => outcome !== 'pass'));
  const counts = columns.map((column) => {
    const all = names.map((name) => results.get(column)?.get(name)?.outcome);
    return ['pass', 'skip', 'fail']
      .map((outcome) => `${all.filter((one) => one === outcome).length} ${outcome}`)
      .join(', ');
  });
  return [
    `| stressor | ${columns.join(' | ')} | what it says |`,
    `| --- | ${columns.map(() => '---').join(' | ')} | --- |`,
    `| all ${names.length} | ${counts.join(' | ')} | |`,
    ...odd.map((name) => `| ${name} | ${outcomes(name).join(' | ')} | ${EXCUSED.get(name) ?? reason(name, results)} |`),
  ].join('\n');
}

/** The first line in which the stressor says why, of the guest in ring 0 if it does not pass there. */
function reason(name: string, results: ReadonlyMap<Column, ReadonlyMap<string, TestResult>>): string {
  const result = [...results.values()]
    .map((map) => map.get(name))
    .find((one) => one !== undefined && one.outcome !== 'pass');
  const lines = (result?.output ?? '').split('\n').map((line) => line.replace(/^stress-ng: \w+:\s+\[\d+\] /, ''));
  const telling = lines.find(
    (line) =>
      line.includes(name) && /skip|not |fail|cannot|error|unable|no /i.test(line) && !/dispatching|setting/.test(line),
  );
  return (telling ?? result?.ending ?? '').replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, 140);
}
