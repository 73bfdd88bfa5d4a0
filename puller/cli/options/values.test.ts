// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  collectAdd,
  collectEnv,
  collectEnvFile,
  collectPort,
  parseCount,
  parseListen,
  parseMemory,
  parseWatchdog,
} from './values.ts';

describe('memory', () => {
  test.each([
    ['128M', 128 * 1024 ** 2],
    ['128m', 128 * 1024 ** 2],
    ['128MB', 128 * 1024 ** 2],
    ['128MiB', 128 * 1024 ** 2],
    ['1g', 1024 ** 3],
    ['4096', 4096],
    ['512k', 512 * 1024],
  ])('%s', (text, bytes) => expect(parseMemory(text)).toBe(bytes));

  test.each(['', '0', '-1', 'M', '1Q', 'lots', '99999999999999999999G'])('refuses %j', (text) =>
    expect(() => parseMemory(text)).toThrow(/128M/),
  );
});

test.each(['0', '-1', '1.5', '', 'two', '1e3'])('a count refuses %j', (text) =>
  expect(() => parseCount(text)).toThrow(),
);

describe('environment', () => {
  test('keeps every "=" behind the first', () => expect(collectEnv('A=b=c', ['X=1'])).toEqual(['X=1', 'A=b=c']));
  test('an empty value is a value', () => expect(collectEnv('A=')).toEqual(['A=']));
  test('a bare name takes its value from here, or is left out', () => {
    process.env.UK_OPTION_TEST = 'here';
    expect(collectEnv('UK_OPTION_TEST')).toEqual(['UK_OPTION_TEST=here']);
    delete process.env.UK_OPTION_TEST;
    expect(collectEnv('UK_OPTION_TEST')).toEqual([]);
  });
  test.each(['=x', ''])('refuses %j', (text) => expect(() => collectEnv(text)).toThrow(/NAME=value/));
});

describe('ports', () => {
  test('8080:80', () =>
    expect(collectPort('8080:80')).toEqual([{ address: '0.0.0.0', host: 8080, guest: 80, protocol: 'tcp' }]));
  test('with an address and a protocol', () =>
    expect(collectPort('127.0.0.1:53:53/udp')).toEqual([
      { address: '127.0.0.1', host: 53, guest: 53, protocol: 'udp' },
    ]));
  test.each([
    '80',
    '80:',
    ':80',
    '70000:80',
    '80:0',
    '80:80/sctp',
    'x:80:80',
    '1:2:3:4',
    '::1:80:80',
    '[1.2.3.4]:80:80',
    '[::1]:80:80/udp',
    '999.1.1.1:80:80',
    '9003-9000:9003-9000',
    '9000-9003:9000-9002',
    '65535-65536:1-2',
    '0-3:1-4',
  ])('refuses %j', (text) => expect(() => collectPort(text)).toThrow(/8080:80|ports|UDP/));
  test('an address of IPv6', () =>
    expect(collectPort('[::1]:8080:80')).toEqual([{ address: '::1', host: 8080, guest: 80, protocol: 'tcp' }]));
  test('ranges of as many ports', () => {
    expect(collectPort('127.0.0.1:9000-9002:80-82/udp').map(({ host, guest }) => [host, guest])).toEqual([
      [9000, 80],
      [9001, 81],
      [9002, 82],
    ]);
  });
});

describe('a file of variables', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'uk-env-')), 'env');
  const read = (text: string) => {
    writeFileSync(file, text);
    return collectEnvFile(file, ['FIRST=1']);
  };
  afterAll(() => rmSync(dirname(file), { recursive: true }));

  test('is read as container engines do', () => {
    process.env.UK_OPTION_TEST = 'here';
    expect(read('# a comment\n\nA=1\n  B="2" # no comment\r\nC=\nUK_OPTION_TEST\nUK_NOT_SET\n')).toEqual([
      ...['FIRST=1', 'A=1', 'B="2" # no comment', 'C=', 'UK_OPTION_TEST=here'],
    ]);
    delete process.env.UK_OPTION_TEST;
  });

  test('says which line is wrong, or that there is no file', () => {
    expect(() => read('A=1\n=2\n')).toThrow(/line 2 of .*env is neither/);
    expect(() => read('two words\n')).toThrow(/line 1/);
    expect(() => collectEnvFile('/nothing/here')).toThrow(/cannot read \/nothing\/here/);
  });
});

describe('added files', () => {
  test('default layer', () => expect(collectAdd('a:/b')).toEqual([{ source: 'a', destination: '/b', layer: 'app' }]));
  test('a layer by name', () =>
    expect(collectAdd('./c d:/e f:deps')[0]).toMatchObject({ source: './c d', layer: 'deps' }));
  test.each(['a', 'a:b', ':/b', 'a:/b:kernel'])('refuses %j', (text) =>
    expect(() => collectAdd(text)).toThrow(/SRC:DST/),
  );
});

test('listening addresses', () => {
  expect(parseListen('127.0.0.1:5000')).toEqual({ host: '127.0.0.1', port: 5000 });
  expect(parseListen(':0')).toEqual({ host: '0.0.0.0', port: 0 });
  expect(parseListen('[::1]:80')).toEqual({ host: '::1', port: 80 });
  for (const bad of ['5000', 'a:b', '1.2.3.4:99999', '']) expect(() => parseListen(bad)).toThrow();
});

test('no text makes a parser fail in another way than by its message', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseMemory, parseCount, collectPort, collectAdd, parseListen]) {
        try {
          parse(text);
        } catch (error) {
          expect((error as Error).name).toMatch(/CommanderError|Error/);
          expect((error as { code?: string }).code).toBe('commander.invalidArgument');
        }
      }
    }),
  );
});

test.each([
  ['30s', 30_000],
  ['1s', 1_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['off', 0],
])('watchdog %s', (text, time) => expect(parseWatchdog(text)).toBe(time));
test.each(['', '30', '0s', '500ms', '25h', '-1s', '1.5m', 'on', '1s\n'])('watchdog %j is refused', (text) =>
  expect(() => parseWatchdog(text)).toThrow(/30s/),
);
