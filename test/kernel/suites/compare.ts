// SPDX-License-Identifier: Apache-2.0
// What passes in ring 3 must pass in ring 0, or stand with its reason in the list.
import type { Outcome, TestResult } from './results.ts';

export interface Expectation {
  /** A test (`selftests/x86/iopl_64`), or one of its cases (`selftests/seccomp/seccomp_bpf: global.kill_thread`). */
  readonly name: string;
  /** Which property of ring 0 makes it fail. */
  readonly reason: string;
}

export type Verdict =
  /** Fails in ring 0 only, and nobody has said why. */
  | 'worse'
  /** Fails in ring 0 only, as the list says. */
  | 'expected'
  /** In the list, but passes in ring 0. */
  | 'stale'
  /** Passed in one of several tries in ring 0, or failed in one of several in ring 3. */
  | 'unsteady'
  | 'same'
  | 'better';

export interface Compared {
  readonly name: string;
  readonly ring0: string;
  readonly ring3: string;
  readonly verdict: Verdict;
  readonly reason?: string | undefined;
}

/** A test with the cases that it tells of. */
export interface Row {
  readonly name: string;
  readonly outcome: Outcome;
  readonly ending: string;
}

export function rowsOf(result: TestResult): Row[] {
  const cases = Object.entries(result.cases).map(([name, outcome]) => ({
    name: `${result.name}: ${name}`,
    outcome,
    ending: outcome,
  }));
  return [{ name: result.name, outcome: result.outcome, ending: result.ending }, ...cases];
}

/** Each test's runs, in the order in which they were made. */
export type Runs = ReadonlyMap<string, readonly TestResult[]>;

/** All runs of tests by name. */
export function runsOf(results: readonly TestResult[]): Map<string, TestResult[]> {
  const runs = new Map<string, TestResult[]>();
  for (const result of results) runs.set(result.name, [...(runs.get(result.name) ?? []), result]);
  return runs;
}

export function compare(ring0: Runs, ring3: Runs, list: readonly Expectation[]): Compared[] {
  const reasons = new Map(list.map(({ name, reason }) => [name, reason]));
  const compared = [...ring3.keys()].flatMap((name) =>
    compareTest(ring0.get(name) ?? [], ring3.get(name) ?? [], reasons),
  );
  const known = new Set(compared.map(({ name }) => name));
  // Of a test that ran; a test that was not asked for says nothing.
  for (const { name, reason } of list) {
    const test = name.split(': ', 1)[0] ?? name;
    if (!known.has(name) && known.has(test)) {
      compared.push({ name, ring0: 'not there', ring3: 'not there', verdict: 'stale', reason });
    }
  }
  return compared;
}

function compareTest(
  ring0: readonly TestResult[],
  ring3: readonly TestResult[],
  reasons: ReadonlyMap<string, string>,
): Compared[] {
  const there = rowsByName(ring3);
  const here = rowsByName(ring0);
  const [test] = ring0;
  const whole = ring0[0]?.name ?? ring3[0]?.name ?? '';
  const excused = reasons.has(whole);
  return [...there].flatMap(([name, rows3]): Compared[] => {
    const rows0 = here.get(name) ?? [];
    // A test that failed as a whole may not have come to its later cases: it is told once.
    if (rows0.length === 0 && name !== test?.name && (test === undefined || test.outcome === 'fail')) return [];
    // Nor are the cases of an expected failure asked for one by one.
    if (excused && name !== whole && !reasons.has(name)) return [];
    const reason = reasons.get(name);
    return [{ name, ring0: told(rows0), ring3: told(rows3), verdict: judge(rows0, rows3, reason), reason }];
  });
}

function judge(rows0: readonly Row[], rows3: readonly Row[], reason: string | undefined): Verdict {
  const passes = (rows: readonly Row[]) => rows.filter(({ outcome }) => outcome === 'pass').length;
  const good0 = passes(rows0);
  const good3 = passes(rows3);
  if (reason !== undefined) return rows0.length > 0 && good0 === rows0.length ? 'stale' : 'expected';
  if (good3 === 0) return good0 > 0 ? 'better' : 'same';
  if (rows0.length > 0 && good0 === rows0.length) return good3 === rows3.length ? 'same' : 'better';
  return good0 === 0 && good3 === rows3.length ? 'worse' : 'unsteady';
}

function rowsByName(results: readonly TestResult[]): Map<string, Row[]> {
  const rows = new Map<string, Row[]>();
  for (const row of results.flatMap(rowsOf)) rows.set(row.name, [...(rows.get(row.name) ?? []), row]);
  return rows;
}

function told(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) return 'not there';
  if (rows.length > 1) {
    const good = rows.filter(({ outcome }) => outcome === 'pass').length;
    return `passed ${good} of ${rows.length}`;
  }
  return first.outcome === 'fail' && first.ending !== 'fail' ? `fail (${first.ending})` : first.outcome;
}
