// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const PROGRAMS = join(import.meta.dirname, 'programs');

/** Compiles the checks, as every machine's compiler would but for where the libraries are looked for. */
export function compileChecks(output: string, flags: readonly string[] = []): string {
  const args = ['-std=gnu++17', '-O2', '-fnon-call-exceptions', '-Wall', '-Wextra', '-Werror', '-pthread', ...flags];
  execFileSync('g++', [...args, '-o', output, join(PROGRAMS, 'checks.cc')]);
  return output;
}

/** How many checks there are, so that none is lost silently. */
export const CHECKS = 51;

export interface Outcome {
  ok: number;
  failed: string[];
  /** `name: value` of the lines that tell one. */
  told: Record<string, string>;
  ended: boolean;
}

export function readOutcome(output: string): Outcome {
  const lines = output.split(/\r?\n/);
  return {
    ok: lines.filter((line) => line.startsWith('ok ')).length,
    failed: lines.filter((line) => line.startsWith('FAIL ')),
    told: Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /^([a-z ]+): ([a-z0-9]+)$/.exec(line) ?? [];
        return name !== undefined && value !== undefined ? [[name, value]] : [];
      }),
    ),
    ended: lines.includes('end'),
  };
}
