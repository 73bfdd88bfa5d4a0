// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { LayerRole } from '../../annotations.ts';
import type { LayerEntry } from '../../layers/index.ts';
import { Plan } from './plan.ts';
import { layerPath } from './usr-merge.ts';

const root = { mode: 0o644, uid: 0, gid: 0 };
const file = (path: string, role: LayerRole = 'app', host = `/host/${path}`) => {
  return { entry: { path, type: 'file', ...root, source: { file: host } } as LayerEntry, role, origin: host };
};
const link = (path: string, linkname: string, role: LayerRole = 'deps') => {
  return { entry: { path, type: 'symlink', linkname, ...root } as LayerEntry, role, origin: `/host/${path}` };
};
const folder = (path: string, mode: number, role: LayerRole = 'deps') => {
  return { entry: { path, type: 'directory', ...root, mode } as LayerEntry, role, origin: `/host/${path}` };
};
const conflict = (text: string) =>
  expect.objectContaining({ code: 'PATH_CONFLICT', message: expect.stringContaining(text) });

describe('Plan', () => {
  test('a non-directory stands in one layer, once', () => {
    const plan = new Plan();
    plan.add(file('a/b'));
    plan.add(file('a/b'));
    expect(plan.add(file('a/b', 'deps'))).toMatchObject({ role: 'app' });
    expect(plan.layer('deps')).toEqual([]);
    expect(() => plan.add(file('a/b', 'deps', '/other'))).toThrow(
      conflict('/host/a/b (layer app) and /other (layer deps)'),
    );
    expect(() => plan.add(file('a/b', 'app', '/other'))).toThrow(conflict('/a/b would stand in the image twice'));
    expect(() => plan.add(folder('a/b', 0o755))).toThrow(conflict('/a/b'));
  });

  test('equal links may be found twice, whoever needs them', () => {
    const plan = new Plan();
    plan.add(link('l', 'x'));
    plan.add(link('l', 'x', 'app'));
    expect(() => plan.add(link('l', 'y'))).toThrow(conflict('/l'));
  });

  test('folders are repeated in each layer with one metadata', () => {
    const plan = new Plan();
    plan.add(file('tmp/x'));
    plan.add(folder('tmp', 0o1777));
    expect(plan.layer('app').find(({ path }) => path === 'tmp')).toMatchObject({ mode: 0o1777 });
    expect(plan.layer('deps').map(({ path }) => path)).toEqual(['tmp']);
  });

  test('a folder of a layer that is made is repeated as it is', () => {
    const plan = new Plan();
    plan.add({ ...folder('boot', 0o755, 'kernel'), fixed: true });
    plan.add(folder('boot', 0o755));
    expect(() => plan.add(folder('boot', 0o700))).toThrow(conflict('/boot would stand in the image with two modes'));
    const xattrs = new Map([['user.a', Buffer.from('b')]]);
    const attributed = folder('boot', 0o755);
    expect(() => plan.add({ ...attributed, entry: { ...attributed.entry, xattrs } })).toThrow(conflict('/boot'));
    expect(() => plan.add(link('boot', '/etc'))).toThrow(conflict('/boot would stand in the image twice'));
  });

  test('nothing stands below what is no directory, in whatever layers they are', () => {
    const plan = new Plan();
    plan.add(link('lib', 'usr/lib'));
    plan.add(file('lib/x'));
    expect(() => plan.layer('app')).toThrow(conflict('below /lib'));
  });

  test('defaults give way', () => {
    const plan = new Plan();
    plan.add(file('etc/passwd', 'config'));
    plan.addDefault(file('etc/passwd', 'deps', '/skeleton'));
    expect(plan.get('etc/passwd')?.role).toBe('config');
  });

  test('links are followed inside of the plan', () => {
    const plan = new Plan();
    plan.add(file('usr/lib/real.so.1'));
    plan.add(link('usr/lib/a.so', 'real.so.1'));
    plan.add(link('opt/lib', '../lib'));
    plan.add(link('loop', 'loop'));
    expect(plan.follow('opt/lib/a.so')?.entry.path).toBe('usr/lib/real.so.1');
    plan.add({
      ...file('opt/other'),
      entry: { path: 'opt/other', type: 'hardlink', linkname: 'usr/lib/real.so.1', ...root },
    });
    expect(plan.follow('opt/other')?.entry.path).toBe('usr/lib/real.so.1');
    expect(plan.follow('opt/lib/none')).toBeUndefined();
    expect(plan.follow('loop')).toBeUndefined();
  });
});

test.each([
  ['/lib/x', 'usr/lib/x'],
  ['/lib64', 'usr/lib64'],
  ['/library/x', 'library/x'],
  ['/usr/../bin/sh', 'usr/bin/sh'],
  ['//opt//x/', 'opt/x'],
  ['/', ''],
  ['/../../etc', 'etc'],
])('layerPath(%s) is %s', (path, expected) => {
  expect(layerPath(path)).toBe(expected);
});
