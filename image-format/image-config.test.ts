// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { parseImageConfig } from './image-config.ts';

const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf('a')] } };
const parse = (value: unknown) => parseImageConfig(Buffer.from(JSON.stringify(value)));

test('a config, with the fields that Docker leaves null', () => {
  const full = {
    ...config,
    config: { Env: null, Cmd: ['a'], Labels: null, ExposedPorts: { '80/tcp': {} } },
    history: null,
  };
  expect(parse(full)).toEqual(full);
});

test.each<[string, unknown]>([
  ['no architecture', { ...config, architecture: undefined }],
  ['no diff_ids', { ...config, rootfs: { type: 'layers' } }],
  ['a diff_id that is none', { ...config, rootfs: { type: 'layers', diff_ids: ['x'] } }],
  ['Env that is no list', { ...config, config: { Env: 'A=b' } }],
  ['a list', []],
  ['null', null],
])('%s is refused', (_name, value) => {
  expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('what is not JSON is refused', () => {
  expect(() => parseImageConfig(Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
