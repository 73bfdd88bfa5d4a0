// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KernelError } from './errors.ts';
import { formatSettings, mergeFragments, parseFragment, readFragments, verifyConfig } from './fragments.ts';

const folder = join(import.meta.dirname, 'config');
const parse = (text: string) => Object.fromEntries(parseFragment({ name: 'test', text }));

describe('parseFragment', () => {
  test('reads settings, "is not set" and comments', () => {
    const text =
      '# why\n\nCONFIG_SMP=y\nCONFIG_NR_CPUS=64\nCONFIG_START=0x1000000\nCONFIG_NAME="a \\"b\\""\n# CONFIG_PCI is not set\n';
    expect(parse(text)).toEqual({
      CONFIG_SMP: 'y',
      CONFIG_NR_CPUS: '64',
      CONFIG_START: '0x1000000',
      CONFIG_NAME: '"a \\"b\\""',
      CONFIG_PCI: 'n',
    });
  });

  test.each([
    'CONFIG_SMP',
    'SMP=y',
    'CONFIG_SMP = y',
    'CONFIG_SMP=m',
    '# CONFIG_SMP is unset',
    'CONFIG_X="a',
    '  CONFIG_SMP=y',
  ])('refuses %j, which Kconfig would skip', (line) => {
    expect(() => parse(`CONFIG_A=y\n${line}\n`)).toThrowError(
      expect.objectContaining({ code: 'FRAGMENT_INVALID', message: expect.stringContaining('test.config, line 2') }),
    );
  });

  test('any text is read or refused with a code', () => {
    const line = fc.oneof(fc.string(), fc.constantFrom('CONFIG_A=y', '# CONFIG_B is not set', '#', 'CONFIG_A="'));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          const settings = parseFragment({ name: 'x', text: lines.join('\n') });
          expect(parseFragment({ name: 'x', text: formatSettings(settings) })).toEqual(settings);
        } catch (error) {
          expect(error).toBeInstanceOf(KernelError);
        }
      }),
    );
  });
});

test('later fragments override earlier ones', () => {
  const merged = mergeFragments([
    { name: 'a', text: 'CONFIG_A=y\nCONFIG_B=y' },
    { name: 'b', text: '# CONFIG_A is not set' },
  ]);
  expect(formatSettings(merged)).toBe('# CONFIG_A is not set\nCONFIG_B=y\n');
});

describe('verifyConfig', () => {
  const wanted = mergeFragments([
    { name: 'a', text: 'CONFIG_A=y\nCONFIG_N=64\n# CONFIG_B is not set\n# CONFIG_C is not set' },
  ]);

  test('takes a configuration that holds all of it', () => {
    verifyConfig(wanted, 'CONFIG_A=y\nCONFIG_N=64\n# CONFIG_B is not set\nCONFIG_OTHER=y\n');
  });

  test('names all that was not taken', () => {
    expect(() => verifyConfig(wanted, '# CONFIG_A is not set\nCONFIG_N=8\nCONFIG_B=y\n')).toThrowError(
      expect.objectContaining({
        code: 'CONFIG_NOT_TAKEN',
        message: expect.stringMatching(/CONFIG_A=y \(it is n\), CONFIG_N=64 \(it is 8\), CONFIG_B=n \(it is y\)$/),
      }),
    );
  });
});

describe('the fragments in config/', () => {
  const names = (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.config'))
    .map((name) => name.replace(/\.config$/, ''));

  test.each(names)('%s can be read', async (name) => {
    const [fragment] = await readFragments(folder, [name]);
    expect(fragment && parseFragment(fragment).size).toBeGreaterThan(0);
  });

  test.each(['none', '../config/base', '', '/etc/passwd'])('there is no %j', async (name) => {
    await expect(readFragments(folder, ['base', name])).rejects.toMatchObject({
      code: 'FRAGMENT_UNKNOWN',
      hint: expect.stringContaining('base, '),
    });
  });
});
