// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest';
import { findProgram, isNewEnough, parseQemuVersion, qemuBinary } from './binary.ts';

afterEach(() => vi.unstubAllEnvs());

test.each([
  ['QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)', 10, 0, '10.0.2', true],
  ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)', 7, 2, '7.2.22', true],
  ['QEMU emulator version 6.2', 6, 2, '6.2', false],
  ['QEMU emulator version 7.1.0', 7, 1, '7.1.0', false],
])('%s', (output, major, minor, text, enough) => {
  const version = parseQemuVersion(output);
  expect(version).toEqual({ major, minor, text });
  expect(version !== undefined && isNewEnough(version)).toBe(enough);
});

test('no version', () => expect(parseQemuVersion('command not found')).toBeUndefined());

test('a program is looked for in PATH, and only in absolute folders of it', () => {
  expect(findProgram('sh')).toMatch(/\/sh$/);
  vi.stubEnv('PATH', 'bin:.:');
  expect(findProgram('sh')).toBeUndefined();
  expect(findProgram('/bin/sh')).toBe('/bin/sh');
});

test('a QEMU that is not there', () => {
  vi.stubEnv('PATH', '/nowhere');
  vi.stubEnv('UK_QEMU', '');
  expect(() => qemuBinary()).toThrow(
    expect.objectContaining({ code: 'MONITOR_MISSING', hint: expect.stringContaining('apt-get') }),
  );
});
