// SPDX-License-Identifier: Apache-2.0
// What the runner in the guest says of its tests, and what the tests say of their cases.

export type Outcome = 'pass' | 'fail' | 'skip';

export interface TestResult {
  readonly name: string;
  readonly outcome: Outcome;
  /** `exit 1`, `signal 11`, `timeout 60`, or why the guest did not live to tell. */
  readonly ending: string;
  readonly milliseconds: number;
  /** Cases that the test tells of by itself (TAP, stress-ng's lists), by their names. */
  readonly cases: Readonly<Record<string, Outcome>>;
  readonly output: string;
}

/** What stands in a guest's results so far: tests that ended, and perhaps one that did not. */
export interface Stream {
  readonly results: readonly TestResult[];
  /** The test that began and has not ended, with its output so far. */
  readonly open: { readonly name: string; readonly output: string } | undefined;
  /** The plan was carried out to its end. */
  readonly done: boolean;
  /** What went wrong outside of tests. */
  readonly trouble: readonly string[];
}

const END = /\n@end (exit|signal|timeout) (\d+) ms (\d+)( stuck)?\n/;
const BEGIN = '\n@begin ';
/** Exit code of a kselftest that could not run (tools/testing/selftests/kselftest.h). */
const KSFT_SKIP = 4;

export function parseStream(text: string): Stream {
  const [outside = '', ...parts] = text.split(BEGIN);
  const results: TestResult[] = [];
  const trouble: string[] = [];
  let rest = outside;
  let open: Stream['open'];
  for (const part of parts) {
    const lineEnd = part.indexOf('\n');
    // The name itself may be cut off: then it is not known that anything began.
    if (lineEnd === -1) break;
    const name = part.slice(0, lineEnd);
    const body = part.slice(lineEnd);
    const end = END.exec(body);
    if (end === null) {
      open = { name, output: body.trim() };
      break;
    }
    const output = body.slice(0, end.index).trim();
    rest = body.slice(end.index + end[0].length);
    const [, how = '', number = '', took = '', stuck = ''] = end;
    const outcome = stuck !== '' ? 'fail' : outcomeOf(name, how, Number(number), output);
    const ending = `${how} ${number}${stuck}`;
    results.push({ name, outcome, ending, milliseconds: Number(took), cases: casesOf(output), output });
  }
  for (const [, what = ''] of rest.matchAll(/^@trouble (.*)$/gm)) trouble.push(what);
  return { results, open, done: /^@done\n/m.test(rest), trouble };
}

function outcomeOf(name: string, how: string, number: number, output: string): Outcome {
  if (how !== 'exit') return 'fail';
  if (number === KSFT_SKIP && name.startsWith('selftests/')) return 'skip';
  if (number === 0) return 'pass';
  // stress-ng ends with a number of its own where a stressor finds nothing to do.
  const skipped =
    name.startsWith('stress/') && !/^not ok|^stress-ng: (?:fail|error)/m.test(output) && [3, 4].includes(number);
  return skipped ? 'skip' : 'fail';
}

/**
 * Cases by name; one of the same name as another before it gets a number.
 *
 * @see linux/Documentation/dev-tools/ktap.rst
 */
export function casesOf(output: string): Record<string, Outcome> {
  const cases: Record<string, Outcome> = {};
  const add = (name: string, outcome: Outcome) => {
    let unique = name;
    for (let count = 2; unique in cases; count++) unique = `${name} (${count})`;
    cases[unique] = outcome;
  };
  for (const line of output.split(/\r?\n/)) {
    const tap = /^(?:# )?(not )?ok (\d+)\s*-?\s*(.*)$/.exec(line);
    if (tap !== null) {
      const [, not, number = '', text = ''] = tap;
      const [description = '', directive = ''] = text.split(/\s*#\s*/, 2);
      const skipped = /^skip/i.test(directive) || /^\S*:?\s*#?\s*SKIP\b/.test(text);
      add(steadyName(description) || `case ${number}`, skipped ? 'skip' : not === undefined ? 'pass' : 'fail');
    }
  }
  return { ...cases, ...stressorsOf(output) };
}

/**
 * Stressors by name: with `--metrics-brief` it lists those that did something. One that found a mistake says so by name,
 * and one that is not told of otherwise has not run.
 */
function stressorsOf(output: string): Record<string, Outcome> {
  const stressors: Record<string, Outcome> = {};
  const lines = [...output.matchAll(/^stress-ng: (\w+):\s+\[\d+\] (.*)$/gm)];
  for (const [, kind, text = ''] of lines) {
    const measured = /^([a-z][\w-]*)\s+(\d+)\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+[\d.]+/.exec(text);
    const [, stressor = '', operations] = measured ?? [];
    if (kind === 'metrc' && stressor !== '') stressors[stressor] ??= operations === '0' ? 'skip' : 'pass';
  }
  for (const [, kind, text = ''] of lines) {
    const stressor = /^(?:stress-ng-)?([a-z][\w-]*): /.exec(text)?.[1] ?? /\(stress-ng-([\w-]+)\)/.exec(text)?.[1];
    if (stressor !== undefined && (kind === 'fail' || kind === 'error')) stressors[stressor] = 'fail';
  }
  return stressors;
}

/** Without what differs from run to run: addresses, process ids, measured times. */
function steadyName(text: string): string {
  return text
    .replace(/0x[0-9a-f]+/gi, '0x…')
    .replace(/\d+(?:\.\d+)?/g, (number) => (number.length > 4 || number.includes('.') ? '…' : number))
    .trim()
    .slice(0, 160);
}

/** Lines of a kernel's log that a healthy kernel does not write. */
export function complaints(log: string): string[] {
  return log
    .split(/\r?\n/)
    .filter((line) =>
      /\b(?:BUG|WARNING|Oops|Kernel panic|general protection fault|soft lockup|detected stalls|hung task|blocked for more than|Bad page|EXT4-fs (?:error|warning))\b|I\/O error|unable to handle/.test(
        line,
      ),
    );
}
