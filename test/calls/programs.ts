// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const PROGRAMS = join(import.meta.dirname, 'programs');

/** Compiles the checks, as every machine's compiler would but for where the libraries are looked for. */
export function compileChecks(output: string, flags: readonly string[] = []): string {
  const args = ['-std=gnu++17', '-O2', '-fnon-call-exceptions', '-Wall', '-Wextra', '-Werror', '-pthread', ...flags];
  execFileSync('g++', [...args, '-o', output, join(PROGRAMS, 'checks.cc')]);
  return output;
}

const SOURCES = join(import.meta.dirname, '../../kernel-build/calls');

/** Writes a source of the library with something changed in it, for a library that the checks have to find wrong. */
export function mutant(folder: string, source: string, what: RegExp, by: string): Record<string, string> {
  const text = readFileSync(join(SOURCES, source), 'utf8');
  const changed = text.replace(what, by);
  if (changed === text) throw new Error(`${source} has nothing like ${what}`);
  const file = join(folder, basename(source));
  writeFileSync(file, changed.replace(/^#include "/gm, `#include "${SOURCES}/`));
  return { [source]: file };
}

/** How many checks there are, so that none is lost silently. */
export const CHECKS = 52;

/** Checks that fail where an unwinder does not come through. */
export const SIGNALS = ['FAIL signals: restarted, with backtrace', 'FAIL signals: interrupted, with backtrace'];

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
