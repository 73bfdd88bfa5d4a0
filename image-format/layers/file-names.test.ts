// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { LayerEntry } from './entry.ts';
import { FileNames } from './file-names.ts';

const OWNED = { mode: 0o644, uid: 1, gid: 2 };
const file = (path: string): LayerEntry => ({ path, type: 'file', ...OWNED, source: { bytes: Buffer.from(path) } });
const link = (path: string, linkname: string): LayerEntry => ({ path, type: 'hardlink', ...OWNED, linkname });

function namesOf(...entries: LayerEntry[]): FileNames {
  const names = new FileNames();
  for (const entry of entries) names.add(entry);
  return names;
}
const shown = (names: FileNames) => {
  return names.entries().map(({ path, linkname, source }) => {
    const content = source !== undefined && 'bytes' in source ? Buffer.from(source.bytes).toString() : '';
    return `${path}${linkname === undefined ? '' : ` > ${linkname}`}${content === '' ? '' : ` = ${content}`}`;
  });
};

test('the first name holds the content, whichever it was', () => {
  expect(shown(namesOf(file('m'), link('z', 'm'), link('a', 'z')))).toEqual(['a = m', 'm > a', 'z > a']);
});

test('a name that is given anew or goes leaves the other names as they are', () => {
  const names = namesOf(file('a'), link('b', 'a'), link('c', 'a'), {
    ...file('a'),
    source: { bytes: Buffer.from('new') },
  });
  expect(shown(names)).toEqual(['a = new', 'b = a', 'c > b']);
  names.delete('b');
  expect(shown(names)).toEqual(['a = new', 'c = a']);
});

test('by bytes', () => {
  expect(shown(namesOf(file('\u{1f600}'), file('\uffee'), file('a.b'), file('a/b')))).toEqual([
    'a.b = a.b',
    'a/b = a/b',
    '\uffee = \uffee',
    '\u{1f600} = \u{1f600}',
  ]);
});

test('links to nothing, to themselves, to folders', () => {
  const folder: LayerEntry = { path: 'd', type: 'directory', ...OWNED };
  for (const wrong of [[link('a', 'b')], [link('a', 'a')], [folder, link('a', 'd')]]) {
    expect(() => namesOf(...wrong)).toThrow(expect.objectContaining({ code: 'LAYER_INVALID' }));
  }
});
