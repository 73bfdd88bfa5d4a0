// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseWwwAuthenticate } from './www-authenticate.ts';

const parse = (header: string) =>
  parseWwwAuthenticate(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('parseWwwAuthenticate', () => {
  test.each([
    ['Basic realm="r"', [['basic', { realm: 'r' }]]],
    ['Basic', [['basic', {}]]],
    [
      'Bearer realm="https://a/t?x=1,2",service="s",scope="repository:a/b:pull,push"',
      [['bearer', { realm: 'https://a/t?x=1,2', service: 's', scope: 'repository:a/b:pull,push' }]],
    ],
    ['BEARER Realm = "a" , ,Service=b', [['bearer', { realm: 'a', service: 'b' }]]],
    [
      'Basic realm="x", Bearer realm="y"',
      [
        ['basic', { realm: 'x' }],
        ['bearer', { realm: 'y' }],
      ],
    ],
    [
      'Negotiate, Basic realm="a \\"b\\" \\\\"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a "b" \\' }],
      ],
    ],
    ['realm="x"', []],
    ['', []],
    ['Bearer realm="never ends', [['bearer', {}]]],
    ['Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
  ])('%s', (header, expected) => {
    expect(parse(header)).toEqual(expected);
  });

  test('any text ends, and gives names in lower case', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zB ="\\,\t]{0,60}$/));
    fc.assert(
      fc.property(text, (header) => {
        for (const { scheme, parameters } of parseWwwAuthenticate(header)) {
          for (const name of [scheme, ...parameters.keys()]) expect(name).toBe(name.toLowerCase());
        }
      }),
    );
  });

  test('what is quoted is read back', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (realm, service) => {
        const quote = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
        expect(parse(`Bearer realm=${quote(realm)}, service=${quote(service)}`)).toEqual([
          ['bearer', { realm, service }],
        ]);
      }),
    );
  });
});
