// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { DETACH_KEYS, parseDetachKeys, watchKeys } from './detach-keys.ts';

async function typed(pieces: (string | Buffer)[], keys = parseDetachKeys(DETACH_KEYS)) {
  let detached = 0;
  const watched = watchKeys(keys, () => detached++);
  const passed: Buffer[] = [];
  watched.on('data', (chunk: Buffer) => passed.push(chunk));
  for (const piece of pieces) watched.write(piece);
  await new Promise<void>((resolve) => watched.end(resolve));
  return { text: Buffer.concat(passed).toString('latin1'), detached };
}

test('the keys of container engines', () => {
  expect(parseDetachKeys('ctrl-p,ctrl-q')).toEqual(Buffer.from([16, 17]));
  expect(parseDetachKeys('ctrl-@,ctrl-[,a,Z')).toEqual(Buffer.from([0, 27, 97, 90]));
  for (const wrong of ['', 'ctrl-', 'ctrl-1', 'ab', 'a,,b']) expect(() => parseDetachKeys(wrong)).toThrow(/no keys/);
});

test('what is typed is passed on until the keys come, however they are cut', async () => {
  expect(await typed(['ls\n', '\x10', '\x11'])).toEqual({ text: 'ls\n', detached: 1 });
  expect(await typed(['a\x10\x11b'])).toEqual({ text: 'a', detached: 1 });
  expect(await typed(['a\x10', 'b\x11'])).toEqual({ text: 'a\x10b\x11', detached: 0 });
  expect(await typed(['\x10\x10\x11'])).toEqual({ text: '\x10', detached: 1 });
  expect(await typed(['aab'], Buffer.from('ab'))).toEqual({ text: 'a', detached: 1 });
});
