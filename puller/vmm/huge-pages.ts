// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PullerError } from '../errors.ts';
import type { MemoryBacking } from './monitor.ts';

type HugePages = NonNullable<MemoryBacking['hugePages']>;

const KIBIBYTES: Readonly<Record<HugePages, number>> = { '2M': 2048, '1G': 1024 ** 2 };

/**
 * Looks whether this host has the huge pages that a guest is to be made of. They are set aside by the administrator;
 * a monitor that finds too few only says that memory cannot be had.
 *
 * @param bytes of the guest's memory
 * @throws PullerError `OPTION_UNSUPPORTED`
 */
export async function checkHugePages(
  size: HugePages,
  bytes: number,
  folder = '/sys/kernel/mm/hugepages',
): Promise<void> {
  const pool = join(folder, `hugepages-${KIBIBYTES[size]}kB`);
  const files = ['free_hugepages', 'resv_hugepages', 'nr_overcommit_hugepages', 'surplus_hugepages'];
  const [free, reserved = 0, overcommit = 0, surplus = 0] = await Promise.all(
    files.map((file) => numberIn(pool, file)),
  );
  const wanted = Math.ceil(bytes / (KIBIBYTES[size] * 1024));
  if (free === undefined) throw missing(`this host has no huge pages of ${size}`, 'run it with --huge-pages off');
  // What is beyond those set aside is made when it is asked for, as far as the administrator allows.
  const left = free - reserved + Math.max(0, overcommit - surplus);
  if (left >= wanted) return;
  throw missing(
    `the guest needs ${wanted} huge pages of ${size}, and ${left} are free on this host`,
    `set more aside (as root: echo N > ${pool}/nr_hugepages), or run it with --huge-pages off`,
  );
}

function missing(message: string, hint: string): PullerError {
  return new PullerError('OPTION_UNSUPPORTED', message, { hint });
}

async function numberIn(pool: string, file: string): Promise<number | undefined> {
  const text = await readFile(join(pool, file), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}
