// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { FrameDecoder } from './frames.ts';
import { contractNeeded, encodeStart, type Start } from './start.ts';

const start: Start = { args: ['/app', 'x'], env: ['A=1'], time: 5n, seed: Buffer.from([255]), stdin: 'empty' };

test('it says what is to run', () => {
  expect(new FrameDecoder().push(encodeStart({ ...start, cwd: '/tmp' }))).toEqual([
    {
      type: 1,
      records: [
        ['arg', '/app'],
        ['arg', 'x'],
        ['env', 'A=1'],
        ['cwd', '/tmp'],
        ['time', '5'],
        ['seed', 'ff'],
        ['stdin', '0'],
        ['root', 'initramfs'],
        ['tether', '1'],
      ],
    },
  ]);
});

test.each<[string, Partial<Start>, RegExp]>([
  ['in the program', { args: ['/a\0pp'] }, /^the program holds a NUL byte: "\/a\\u0000pp"$/],
  ['in an argument', { args: ['/app', 'fine', 'a\0b'] }, /^argument 2 holds a NUL/],
  ['in a variable', { env: ['A=1', 'B=\0'] }, /^the variable B holds a NUL/],
  ["in a variable's name", { env: ['B\0C=1'] }, /^the variable B\\0C holds a NUL/],
  ['in the host name', { hostname: '\0' }, /^the host name/],
  ['nothing but too much', { args: ['/app', 'x'.repeat(5 * 1024 ** 2)] }, /at most 4194304 fit/],
])('a NUL byte %s is refused and named', (_where, change, message) => {
  expect(() => encodeStart({ ...start, ...change })).toThrow(
    expect.objectContaining({
      code: 'IMAGE_UNSUPPORTED',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    }),
  );
});

test('a root on a disk, a read-only root and mounts', () => {
  const frame = encodeStart({
    ...start,
    root: { disk: 'root', type: 'erofs', writable: { tmpfs: '50%' } },
    readOnly: true,
    mounts: [
      { kind: 'ext4', source: 'volume-0', options: ['ro', 'populate'], path: '/a:b, c' },
      { kind: 'tmpfs', source: '', options: [], path: '/tmp' },
    ],
  });
  const records = frame.subarray(8).toString().split('\0');
  expect(records).toContain('root=block:root:erofs');
  expect(records).toContain('writable=tmpfs:50%');
  expect(records).toContain('read-only=1');
  expect(records.filter((record) => record.startsWith('mount='))).toEqual([
    'mount=ext4:volume-0:ro,populate:/a:b, c',
    'mount=tmpfs:::/tmp',
  ]);
});

test('what only the second version of the contract has needs it', () => {
  expect(contractNeeded({ mounts: [] })).toBe(1);
  expect(contractNeeded({ readOnly: true })).toBe(2);
  expect(contractNeeded({ mounts: [{ kind: 'tmpfs', source: '', options: [], path: '/x' }] })).toBe(2);
});
