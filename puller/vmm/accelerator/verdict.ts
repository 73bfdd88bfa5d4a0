// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../store/folders.ts';

/** What probing this machine has shown; kept, so that only the first run of a machine pays for it. */
export interface Verdict {
  /** Absent: not tried yet. */
  kvm?: { works: boolean; detail: string };
  /** The guest's time stamp counter under TCG, which is the host's. Absent: not measured yet. */
  tsc?: { khz: number; errorPpm: number };
}

function verdictFile(key: string): string {
  return join(cacheFolder(), 'accelerator', `${key}.json`);
}

/** An unreadable or damaged file is no verdict. */
export function readVerdict(key: string): Verdict {
  try {
    const { kvm, tsc } = JSON.parse(readFileSync(verdictFile(key), 'utf8')) as Verdict;
    return {
      ...(typeof kvm?.works === 'boolean' ? { kvm: { works: kvm.works, detail: String(kvm.detail) } } : {}),
      ...(Number.isSafeInteger(tsc?.khz) && tsc !== undefined && tsc.khz > 0 ? { tsc } : {}),
    };
  } catch {
    return {};
  }
}

/** Best effort: where nothing can be kept, the next run probes again. */
export function writeVerdict(key: string, verdict: Verdict): void {
  const file = verdictFile(key);
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(temporary, JSON.stringify(verdict));
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}
