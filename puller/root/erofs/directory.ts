// SPDX-License-Identifier: Apache-2.0
import type { Directory, Inode } from '../../../image-format/root/index.ts';
import { BLOCK, DIRENT_SIZE, type Disk, FILE_TYPE, SLOT, writeDirent } from './format.ts';

/** The names of a folder in the order of their bytes, cut into the blocks that hold them. */
export interface DirectoryBlocks {
  blocks: string[][];
  /** Bytes of all of them: whole blocks, and what the last one uses. */
  size: number;
}

export function directoryBlocks({ children }: Directory): DirectoryBlocks {
  // Each character is a byte, so the order of characters is theirs.
  const names = ['.', '..', ...children.keys()].sort();
  const blocks: string[][] = [];
  let block: string[] = [];
  let used = 0;
  for (const name of names) {
    if (used + DIRENT_SIZE + name.length > BLOCK) {
      blocks.push(block);
      block = [];
      used = 0;
    }
    block.push(name);
    used += DIRENT_SIZE + name.length;
  }
  blocks.push(block);
  return { blocks, size: (blocks.length - 1) * BLOCK + used };
}

/** Writes one block at `offset` of `target`: an entry for each name, then the names. */
export function writeDirectoryBlock(
  target: Disk,
  offset: number,
  names: readonly string[],
  find: (name: string) => { offset: number; inode: Inode },
): void {
  const namesStart = names.length * DIRENT_SIZE;
  let nameOffset = namesStart;
  let at = offset;
  for (const name of names) {
    const { offset: place, inode } = find(name);
    writeDirent(target.words, at, place / SLOT, nameOffset, FILE_TYPE[inode.type]);
    nameOffset += name.length;
    at += DIRENT_SIZE;
  }
  target.bytes.write(names.join(''), offset + namesStart, 'latin1');
}
