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

/**
 * Writes one block at `offset` of `target`: an entry for each name, then the names.
 *
 * @param entries what the names of the whole folder name; `first` is the number of this block's first
 */
export function writeDirectoryBlock(
  target: Disk,
  offset: number,
  names: readonly string[],
  entries: readonly { offset: number; inode: Inode }[],
  first: number,
): void {
  const namesStart = names.length * DIRENT_SIZE;
  let nameOffset = namesStart;
  for (const [index, name] of names.entries()) {
    const { offset: place, inode } = entries[first + index] as { offset: number; inode: Inode };
    writeDirent(target.words, offset + index * DIRENT_SIZE, place / SLOT, nameOffset, FILE_TYPE[inode.type]);
    nameOffset += name.length;
  }
  target.bytes.write(names.join(''), offset + namesStart, 'latin1');
}
