// SPDX-License-Identifier: Apache-2.0
import type { FileRow } from '../../browse/index.ts';

const LETTERS: Record<FileRow['type'], string> = {
  file: '-',
  hardlink: '-',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
  removed: '-',
};

/** `-rwxr-xr-x`, as ls shows it. */
export function formatMode({ type, mode = 0 }: Pick<FileRow, 'type' | 'mode'>): string {
  const letters = [...'rwxrwxrwx'].map((letter, at) => ((mode >> (8 - at)) & 1 ? letter : '-'));
  const special = (bit: number, at: number, letter: string) => {
    if ((mode & bit) === 0) return;
    letters[at] = letters[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return LETTERS[type] + letters.join('');
}

/** `0:0` */
export function owner({ uid, gid }: Pick<FileRow, 'uid' | 'gid'>): string {
  return uid === undefined ? '' : `${uid}:${gid ?? uid}`;
}
