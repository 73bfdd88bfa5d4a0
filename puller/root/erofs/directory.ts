// SPDX-License-Identifier: Apache-2.0
import type { Directory, Inode } from '../../../image-format/root/index.ts';
import { BLOCK, DIRENT_SIZE, FILE_TYPE, SLOT } from './format.ts';

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

/** Writes one block at `offset` of `target`: struct erofs_dirent for each name, then the names. */
export function writeDirectoryBlock(
  target: Buffer,
  offset: number,
  names: readonly string[],
  find: (name: string) => { offset: number; inode: Inode },
): void {
  let nameOffset = names.length * DIRENT_SIZE;
  let at = offset;
  for (const name of names) {
    const { offset: place, inode } = find(name);
    const nid = place / SLOT;
    target.writeUInt32LE(nid % 2 ** 32, at);
    target.writeUInt32LE(Math.floor(nid / 2 ** 32), at + 4);
    target.writeUInt16LE(nameOffset, at + 8);
    target.writeUInt8(FILE_TYPE[inode.type], at + 10);
    target.write(name, offset + nameOffset, 'latin1');
    nameOffset += name.length;
    at += DIRENT_SIZE;
  }
}
