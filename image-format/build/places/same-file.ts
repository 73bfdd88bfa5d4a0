// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const STEP = 1024 * 1024;

/** Whether two files of this machine have the same content. One that cannot be read is not the same as any other. */
export function isSameFile(a: string, b: string): boolean {
  const opened: number[] = [];
  try {
    for (const path of [a, b]) opened.push(openSync(path, 'r'));
    const [one = -1, other = -1] = opened;
    const [first, second] = [fstatSync(one), fstatSync(other)];
    if (first.dev === second.dev && first.ino === second.ino) return true;
    return first.size === second.size && hasSameBytes(one, other);
  } catch {
    return false;
  } finally {
    for (const file of opened) closeSync(file);
  }
}

function hasSameBytes(one: number, other: number): boolean {
  const [left, right] = [Buffer.alloc(STEP), Buffer.alloc(STEP)];
  for (;;) {
    const read = readSync(one, left, 0, STEP, null);
    if (read !== readSync(other, right, 0, STEP, null)) return false;
    if (read === 0) return true;
    if (!left.subarray(0, read).equals(right.subarray(0, read))) return false;
  }
}
