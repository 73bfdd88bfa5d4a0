// SPDX-License-Identifier: Apache-2.0
import type { Compared, Verdict } from './compare.ts';
import type { Run } from './guest.ts';
import type { Ring } from './kernels.ts';

export interface Summary {
  readonly ok: boolean;
  /** Tests and cases by verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Programs (not their cases) by suite and ring: `12 pass, 1 fail, 2 skip`. */
  readonly suites: Readonly<Record<string, Readonly<Record<Ring, string>>>>;
  /** What the kernel in ring 0 complained of where that in ring 3 did not, and what else went wrong. */
  readonly trouble: readonly string[];
}

export function summaryOf(rows: readonly Compared[], runs: Readonly<Record<Ring, readonly Run[]>>): Summary {
  const verdicts = { worse: 0, expected: 0, stale: 0, unsteady: 0, same: 0, better: 0 };
  for (const { verdict } of rows) verdicts[verdict]++;
  const excused = new Set(rows.filter(({ verdict }) => verdict === 'expected').map(({ name }) => name));
  const there = new Set(runs.ring3.flatMap(({ complaints }) => complaints.map(({ test }) => test)));
  const trouble = runs.ring0.flatMap((run) => [
    ...run.complaints
      .filter(({ test }) => !there.has(test) && !excused.has(test))
      .map(({ test, line }) => `the kernel, during ${test}: ${line}`),
    ...run.trouble,
  ]);
  const suites: Record<string, Record<Ring, string>> = {};
  for (const ring of ['ring0', 'ring3'] as const) {
    // The first round has all tests, later ones what is asked again.
    for (const { name } of runs[ring][0]?.results ?? []) {
      const [suite = name] = name.split('/', 1);
      suites[suite] ??= { ring0: '', ring3: '' };
      suites[suite][ring] ||= counts(runs[ring][0], suite);
    }
  }
  const ok = verdicts.worse + verdicts.stale + trouble.length === 0;
  return { ok, verdicts, suites, trouble };
}

function counts(run: Run | undefined, suite: string): string {
  const results = (run?.results ?? []).filter(({ name }) => name.startsWith(`${suite}/`));
  const count = (wanted: string) => results.filter(({ outcome }) => outcome === wanted).length;
  const cases = results.flatMap((result) => Object.values(result.cases)).filter((outcome) => outcome === 'pass').length;
  return `${count('pass')} pass, ${count('fail')} fail, ${count('skip')} skip; ${cases} cases pass`;
}

export function renderTable(rows: readonly Compared[], summary: Summary): string {
  const shown = rows.filter(({ verdict }) => verdict !== 'same');
  const lines = shown.map(
    ({ name, ring0, ring3, verdict, reason }) => `| ${verdict} | ${name} | ${ring3} | ${ring0} | ${reason ?? ''} |`,
  );
  const suites = Object.entries(summary.suites).map(([name, { ring0, ring3 }]) => `| ${name} | ${ring3} | ${ring0} |`);
  return [
    '| suite | ring 3 | ring 0 |',
    '| --- | --- | --- |',
    ...suites,
    '',
    ...(lines.length > 0
      ? ['| | test | ring 3 | ring 0 | reason |', '| --- | --- | --- | --- | --- |', ...lines, '']
      : []),
    ...summary.trouble.map((line) => `trouble: ${line}`),
    Object.entries(summary.verdicts)
      .map(([verdict, count]) => `${count} ${verdict}`)
      .join(', '),
    summary.ok ? 'ring 0 does what ring 3 does' : 'ring 0 does NOT do all that ring 3 does',
  ].join('\n');
}
