// SPDX-License-Identifier: Apache-2.0
// The library's idea of where instructions begin, against objdump's, for every function of whole libraries.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const here = join(import.meta.dirname, '../../kernel-build/calls');
const objdump = spawnSync('objdump', ['--version']).status === 0;
const LIBRARIES = ['libc.so.6', 'libm.so.6', 'libstdc++.so.6'];

let folder: string;
let program: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'uk-calls-'));
  program = join(folder, 'instructions');
  const flags = ['-std=gnu17', '-g', '-O1', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined'];
  execFileSync('gcc', [...flags, '-o', program, 'harness/instructions.c', 'functions.c', 'length.c'], { cwd: here });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const output = (name: string, args: string[]) => execFileSync(name, args, { encoding: 'utf8', maxBuffer: 1 << 28 });

/** address → bytes of the instruction there, as objdump sees it */
function reference(library: string): Map<number, { length: number; first: string }> {
  const found = new Map<number, { length: number; first: string }>();
  for (const [, address = '', bytes = ''] of output('objdump', ['-d', '-w', library]).matchAll(
    /^\s+([0-9a-f]+):\t((?:[0-9a-f]{2} )+)/gm,
  )) {
    found.set(Number.parseInt(address, 16), { length: bytes.trim().split(' ').length, first: bytes.slice(0, 2) });
  }
  return found;
}

describe.skipIf(!objdump)(objdump ? 'instructions' : 'instructions (skipped: no objdump)', () => {
  test.each(LIBRARIES)('of %s', (name) => {
    const library = output('g++', [`-print-file-name=${name}`]).trim();
    const expected = reference(library);
    const wrong: string[] = [];
    let compared = 0;
    let known = true;
    let skipped = 0;
    for (const line of output(program, [library]).trim().split('\n')) {
      const [word = '', length = ''] = line.split(' ');
      if (word.startsWith('@')) {
        // The return from signals has a byte before it that is no part of anything.
        known = expected.has(Number.parseInt(word.slice(1), 16));
        skipped += known ? 0 : 1;
        continue;
      }
      const address = Number.parseInt(word, 16);
      const theirs = expected.get(address);
      // objdump takes a wait for the coprocessor and what follows for one.
      const wait = theirs?.first === '9b' || expected.get(address - 1)?.first === '9b';
      if (!known || wait) continue;
      compared++;
      if (theirs?.length !== Number(length)) wrong.push(line);
    }
    expect(wrong).toEqual([]);
    expect(skipped).toBeLessThanOrEqual(1);
    expect(compared).toBeGreaterThan(50_000);
  });
});
