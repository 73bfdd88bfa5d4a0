// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';

/**
 * Memory of a process and all below it, bytes: the proportional set size, which counts what several processes share
 * (the program's own code, above all) once and not for each of them.
 */
export async function memoryOf(pid: number): Promise<number> {
  const sizes = await Promise.all((await treeOf(pid)).map(proportionalSize));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function treeOf(pid: number): Promise<number[]> {
  const below = (await readOrNothing(`/proc/${pid}/task/${pid}/children`)).split(' ').filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(below.map(treeOf))).flat()];
}

async function proportionalSize(pid: number): Promise<number> {
  return Number(/^Pss:\s+(\d+) kB/m.exec(await readOrNothing(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

/** A process may end between two looks. */
async function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

const SAMPLE_MS = 100;

/** Looks again and again while `work` runs. @returns what it gave, and the most memory that was seen */
export async function watchingMemory<T>(
  memory: () => Promise<number>,
  work: () => Promise<T>,
): Promise<{ result: T; peak: number }> {
  let peak = await memory();
  let over = false;
  const watching = (async () => {
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      peak = Math.max(peak, await memory());
    }
  })();
  try {
    const result = await work();
    return { result, peak };
  } finally {
    over = true;
    await watching;
  }
}
