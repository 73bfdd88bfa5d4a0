// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import {
  parseDuration,
  parseHttpCheck,
  parseMoment,
  parsePort,
  parseRestart,
  parseSeconds,
  parseSignal,
  parseTail,
} from './instance-values.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));
  test.each(['', '0s', '5', 's', '-1s', '1.5s', '25d', '99999999999s'])('refuses %j', (text) =>
    expect(() => parseDuration(text)).toThrow(/30s/),
  );
});

describe('moments', () => {
  test('RFC 3339, seconds, how long ago', () => {
    expect(parseMoment('2030-01-31T12:00:00Z')).toBe(Date.UTC(2030, 0, 31, 12));
    expect(parseMoment('1700000000.5')).toBe(1_700_000_000_500);
    expect(Date.now() - parseMoment('10m')).toBeLessThan(610_000);
  });
  test.each(['', 'yesterday', '2030-13-01', '-5'])('refuses %j', (text) =>
    expect(() => parseMoment(text)).toThrow(/2030/),
  );
});

test('restart policies', () => {
  expect(parseRestart('always')).toEqual({ name: 'always' });
  expect(parseRestart('on-failure:5')).toEqual({ name: 'on-failure', max: 5 });
  for (const bad of ['', 'always:5', 'on-failure:', 'never']) expect(() => parseRestart(bad)).toThrow(/on-failure/);
});

test('http checks', () => {
  expect(parseHttpCheck('/healthz?a=b')).toEqual({ port: undefined, path: '/healthz?a=b' });
  expect(parseHttpCheck('8080/')).toEqual({ port: 8080, path: '/' });
  for (const bad of ['', '8080', 'x/y', '0/', '70000/', '/a b']) expect(() => parseHttpCheck(bad)).toThrow();
});

test('signals, ports, seconds, lines', () => {
  expect([parseSignal('HUP'), parsePort('80'), parseSeconds('0'), parseTail('all'), parseTail('10')]).toEqual([
    ...[1, 80, 0, 'all', 10],
  ]);
  for (const parse of [parseSignal, parsePort, parseSeconds, parseTail]) expect(() => parse('x')).toThrow();
});
