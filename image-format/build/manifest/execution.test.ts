// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { changeExecution } from './execution.ts';
import { sourceDateEpoch } from './source-date.ts';

test('what is not mentioned stays, what is empty is left out', () => {
  const from = { Entrypoint: ['/app/x'], Cmd: ['a'], Env: ['A=1', 'B=2'], StopSignal: 'SIGINT', User: 'nobody' };
  expect(changeExecution(from, {})).toEqual(from);
  expect(changeExecution(from, { args: [], env: ['B=3', 'C=', 'A=1=2'], user: '' })).toEqual({
    Entrypoint: ['/app/x'],
    Env: ['A=1=2', 'B=3', 'C='],
    StopSignal: 'SIGINT',
  });
});

test('ports, labels, folder, entrypoint', () => {
  const changes = { exposedPorts: ['443', '53/udp'], labels: { z: '1', a: '2' }, workingDir: '/w', entrypoint: ['/e'] };
  expect(changeExecution({ Entrypoint: ['/app/x'], Labels: { k: 'v' } }, changes)).toEqual({
    Entrypoint: ['/e'],
    ExposedPorts: { '443/tcp': {}, '53/udp': {} },
    Labels: { a: '2', k: 'v', z: '1' },
    WorkingDir: '/w',
  });
});

test.each([
  { env: ['A'] },
  { env: ['=x'] },
  { env: ['A=\0'] },
  { exposedPorts: ['http'] },
  { exposedPorts: ['0'] },
  { exposedPorts: ['65536'] },
  { exposedPorts: ['80/icmp'] },
  { workingDir: 'relative' },
])('%j is refused', (changes) => {
  expect(() => changeExecution({}, changes)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test('the time of an image', () => {
  expect(sourceDateEpoch(undefined, {})).toBeUndefined();
  expect(sourceDateEpoch(undefined, { SOURCE_DATE_EPOCH: '1700000000' })).toBe(1700000000);
  expect(sourceDateEpoch(5, { SOURCE_DATE_EPOCH: '1700000000' })).toBe(5);
  for (const text of ['yesterday', '-1', '1.5', '1e99']) {
    expect(() => sourceDateEpoch(undefined, { SOURCE_DATE_EPOCH: text })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  }
});
