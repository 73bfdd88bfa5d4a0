// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../../image-format/layout/durable.ts';

/** `program` is what the program writes, `kernel` is the log of its kernel. */
export type LogKind = 'program' | 'kernel';

/** Files are numbered and never renamed: a reader goes from one number to the next. */
export function logFile(folder: string, kind: LogKind, number: number): string {
  return join(folder, `${kind}.${String(number).padStart(6, '0')}.json`);
}

/** The numbers of the files that are there, the oldest first. */
export async function logNumbers(folder: string, kind: LogKind): Promise<number[]> {
  try {
    const names = await readdir(folder);
    return names
      .map((name) => new RegExp(`^${kind}\\.([0-9]{6,})\\.json$`).exec(name)?.[1])
      .filter((number) => number !== undefined)
      .map(Number)
      .sort((one, other) => one - other);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
