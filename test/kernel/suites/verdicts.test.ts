// SPDX-License-Identifier: Apache-2.0
// How test/kernel/suites reads what tests say, and what it makes of it.
import { describe, expect, test } from 'vitest';
import { compare, runsOf } from './compare.ts';
import { EXPECTED } from './expected.ts';
import { attribute } from './guest.ts';
import { casesOf, type Outcome, parseStream, type TestResult } from './results.ts';
import { SELFTESTS } from './selftest-list.ts';

describe('the stream of a guest', () => {
  const whole =
    '\n@begin selftests/a\nok 1 one\n\n@end exit 0 ms 12\n\n@begin selftests/b\n\n@end exit 4 ms 1\n\n@done\n';

  test('has the tests that ended, and whether all did', () => {
    const { results, open, done, trouble } = parseStream(whole);
    expect(results).toMatchObject([
      {
        name: 'selftests/a',
        outcome: 'pass',
        ending: 'exit 0',
        milliseconds: 12,
        cases: { one: 'pass' },
        output: 'ok 1 one',
      },
      { name: 'selftests/b', outcome: 'skip', ending: 'exit 4' },
    ]);
    expect({ open, done, trouble }).toEqual({ open: undefined, done: true, trouble: [] });
  });

  test('may be cut off anywhere', () => {
    for (let length = 0; length <= whole.length; length++) {
      const { results, done } = parseStream(whole.slice(0, length));
      expect(results.length).toBeLessThanOrEqual(2);
      expect(done).toBe(length === whole.length);
    }
    expect(parseStream(whole.slice(0, 27)).open).toEqual({ name: 'selftests/a', output: 'ok 1 on' });
  });

  test('tells of signals, timeouts, what does not end, and trouble', () => {
    const ends = ['signal 11 ms 1', 'timeout 60 ms 60000', 'exit 0 ms 5 stuck'];
    const { results, trouble } = parseStream(
      `${ends.map((end, index) => `\n@begin selftests/${index}\n\n@end ${end}\n`).join('')}\n@trouble umount: busy\n`,
    );
    expect(results.map(({ outcome, ending }) => `${outcome} ${ending}`)).toEqual([
      'fail signal 11',
      'fail timeout 60',
      'fail exit 0 stuck',
    ]);
    expect(trouble).toEqual(['umount: busy']);
  });
});

test('cases are those of TAP, nested or not, each with a name of its own', () => {
  const text =
    'TAP version 13\n1..4\nok 1 - first\nnot ok 2 second at 0x7f00\n# ok 1 first\nok 3 # SKIP no device\nok 4 # SKIP';
  expect(casesOf(text)).toEqual({
    first: 'pass',
    'second at 0x…': 'fail',
    'first (2)': 'pass',
    'case 3': 'skip',
    'case 4': 'skip',
  });
});

test('cases are the stressors of stress-ng', () => {
  const line = (kind: string, text: string) => `stress-ng: ${kind}:  [12] ${text}\n`;
  const measured = (name: string, count: number) =>
    line('metrc', `${name.padEnd(18)} ${count}      1.00      0.21      0.58    286682.37      366514.92`);
  const text = [
    line('info', 'dispatching hogs: 1 pipe, 1 vm, 1 hdd'),
    line('fail', 'vm: detected 3 bit errors'),
    line('error', 'process [14] (stress-ng-fork) terminated with an error, exit status=2'),
    line('metrc', 'stressor       bogo ops real time  usr time  sys time   bogo ops/s     bogo ops/s'),
    measured('pipe', 286854),
    measured('vm', 3),
    measured('rdrand', 0),
  ];
  expect(casesOf(text.join(''))).toEqual({ pipe: 'pass', vm: 'fail', rdrand: 'skip', fork: 'fail' });
});

test("a kernel's complaint is that of the test which was running", () => {
  const log =
    '[ 1] x\n[ 2] uk-suites: a\n[ 3] BUG: bad\n[ 4] fine\n[ 5] uk-suites: b\n[ 6] uk-suites: c\n[ 7] WARNING: w\n';
  expect(attribute(log)).toEqual([
    { test: 'a', line: '[ 3] BUG: bad' },
    { test: 'c', line: '[ 7] WARNING: w' },
  ]);
});

describe('a test in ring 0 and in ring 3', () => {
  const result = (outcome: Outcome, cases: Record<string, Outcome> = {}): TestResult => ({
    name: 't',
    outcome,
    ending: outcome === 'fail' ? 'exit 1' : 'exit 0',
    milliseconds: 1,
    cases,
    output: '',
  });
  const verdicts = (ring0: TestResult[], ring3: TestResult[], names: string[] = []) =>
    Object.fromEntries(
      compare(
        runsOf(ring0),
        runsOf(ring3),
        names.map((name) => ({ name, reason: 'why' })),
      ).map((row) => [row.name, row.verdict]),
    );

  test.each([
    ['pass', 'pass', 'same'],
    ['fail', 'fail', 'same'],
    ['skip', 'fail', 'same'],
    ['pass', 'fail', 'better'],
    ['fail', 'pass', 'worse'],
    ['skip', 'pass', 'worse'],
  ] as const)('%s, %s: %s', (ring0, ring3, verdict) => {
    expect(verdicts([result(ring0)], [result(ring3)])).toEqual({ t: verdict });
  });

  test('the list excuses a failure, and is told where it is wrong', () => {
    expect(verdicts([result('fail')], [result('pass')], ['t'])).toEqual({ t: 'expected' });
    expect(verdicts([result('pass')], [result('pass')], ['t'])).toEqual({ t: 'stale' });
    expect(verdicts([result('pass', { a: 'pass' })], [result('pass', { a: 'pass' })], ['t: gone', 'other'])).toEqual({
      t: 'same',
      't: a': 'same',
      't: gone': 'stale',
    });
  });

  test('several tries: worse is what never passes here and always there', () => {
    expect(verdicts([result('fail'), result('fail')], [result('pass'), result('pass')])).toEqual({ t: 'worse' });
    expect(verdicts([result('fail'), result('pass')], [result('pass'), result('pass')])).toEqual({ t: 'unsteady' });
    expect(verdicts([result('fail'), result('fail')], [result('pass'), result('fail')])).toEqual({ t: 'unsteady' });
  });

  test('cases are compared too, but not those that a failed test did not come to', () => {
    const there = [result('pass', { a: 'pass', b: 'pass' })];
    expect(verdicts([result('pass', { a: 'pass', b: 'skip' })], there)).toEqual({
      t: 'same',
      't: a': 'same',
      't: b': 'worse',
    });
    expect(verdicts([result('fail', { a: 'pass' })], there)).toEqual({ t: 'worse', 't: a': 'same' });
    expect(verdicts([result('pass', { a: 'pass' })], there)).toMatchObject({ 't: b': 'worse' });
    expect(verdicts([result('fail', { a: 'fail' })], there, ['t'])).toEqual({ t: 'expected' });
  });
});

test('each expectation has a reason, is there once, and names a test of the list', () => {
  expect(EXPECTED.filter(({ reason }) => reason.length < 20)).toEqual([]);
  expect(new Set(EXPECTED.map(({ name }) => name)).size).toBe(EXPECTED.length);
  const known = new Set(SELFTESTS.map(({ name, args }) => `selftests/${name}${args === undefined ? '' : ` ${args}`}`));
  const selftests = EXPECTED.filter(({ name }) => name.startsWith('selftests/'));
  expect(selftests.filter(({ name }) => !known.has(name.split(': ', 1)[0] ?? ''))).toEqual([]);
});
