// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { hexDump } from './hex.ts';

test('bytes look as hexdump shows them', () => {
  expect(hexDump(Buffer.from('\x7fELF and more than a line').toString('hex'))).toBe(
    [
      '00000000  7f 45 4c 46 20 61 6e 64  20 6d 6f 72 65 20 74 68  |.ELF and more th|',
      '00000010  61 6e 20 61 20 6c 69 6e  65                       |an a line|',
    ].join('\n'),
  );
});

test('many bytes are cut', () => expect(hexDump('00'.repeat(100_000)).split('\n')).toHaveLength(1025));
