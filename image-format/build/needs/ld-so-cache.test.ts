// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareNames, formatLdSoCache, parseLdSoCache } from './ld-so-cache.ts';

const library = fc.record({
  name: fc.stringMatching(/^lib[a-z0-9+.-]{1,12}\.so\.[0-9]{1,4}$/),
  path: fc.stringMatching(/^\/[a-z/]{1,20}$/),
});

describe('ld.so.cache', () => {
  test('what is written is read', () => {
    fc.assert(
      fc.property(fc.uniqueArray(library, { selector: ({ name }) => name }), (libraries) => {
        const parsed = parseLdSoCache(formatLdSoCache(libraries));
        expect(parsed).toHaveLength(libraries.length);
        expect(parsed).toEqual(expect.arrayContaining(libraries));
      }),
    );
  });

  test('any bytes are read without harm', () => {
    const start = Buffer.from('glibc-ld.so.cache1.1');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, magic) => {
        for (const { path } of parseLdSoCache(Buffer.concat(magic ? [start, bytes] : [bytes])))
          expect(path[0]).toBe('/');
      }),
    );
  });

  test('the order is the one that ld.so halves in', () => {
    expect(compareNames('liba.so.10', 'liba.so.9')).toBeGreaterThan(0);
    expect(compareNames('liba.so.1', 'libaa.so')).toBeLessThan(0);
    expect(compareNames('lib1', 'liba')).toBeGreaterThan(0);
    expect(compareNames('liba', 'liba.so')).toBeLessThan(0);
    expect(compareNames('liba', 'liba')).toBe(0);
  });

  const ldconfig = ['/sbin/ldconfig', '/usr/sbin/ldconfig'].find((path) => existsSync(path));
  test.skipIf(ldconfig === undefined || !existsSync('/etc/ld.so.cache'))(
    'ldconfig reads what is written, and we what it writes',
    async () => {
      const dir = await mkdtemp(join(tmpdir(), 'uk-cache-'));
      const libraries = parseLdSoCache(readFileSync('/etc/ld.so.cache'));
      await writeFile(join(dir, 'cache'), formatLdSoCache(libraries));
      const print = (file: string) =>
        execFileSync(ldconfig ?? '', ['-C', file, '-p'], { encoding: 'utf8' })
          .split('\n')
          .filter((line) => line.includes('(libc6,x86-64)'))
          .sort();
      expect(print(join(dir, 'cache'))).toEqual(print('/etc/ld.so.cache'));
      expect(libraries.length).toBeGreaterThan(0);
      await rm(dir, { recursive: true });
    },
  );
});
