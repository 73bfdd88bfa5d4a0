// SPDX-License-Identifier: Apache-2.0
// The library's idea of instructions, where they begin and where they may go on, against objdump's, for every function of
// whole libraries; and what it makes of that for system calls in all kinds of surroundings.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const here = join(import.meta.dirname, '../../kernel-build/calls');
const objdump = spawnSync('objdump', ['--version']).status === 0;
const LIBRARIES = ['libc.so.6', 'libm.so.6', 'libstdc++.so.6'];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'uk-calls-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compileHarness(name: string): string {
  const program = join(folder, name);
  const flags = ['-std=gnu17', '-g', '-O1', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined'];
  const sources = [`harness/${name}.c`, 'harness/object.c', 'functions.c', 'length.c', 'sites.c'];
  execFileSync('gcc', [...flags, '-o', program, ...sources], { cwd: here });
  return program;
}

const output = (name: string, args: string[]) => execFileSync(name, args, { encoding: 'utf8', maxBuffer: 1 << 28 });

interface Reference {
  length: number;
  /** The first byte. */
  first: string;
  /** Where it may go on, in the words of harness/instructions.c. */
  leads: string;
}

/** Where an instruction may go on: `jump 1234`, `call 1234`, `indirect`, or nothing. */
function leadsOf(text: string): string {
  if (/\bl?jmp\s+\*/.test(text)) return 'indirect';
  const [, name = '', target] = /\b(call|j[a-z]+|loop[a-z]*|xbegin)(?:,p[nt])?\s+([0-9a-f]+)\b/.exec(text) ?? [];
  return target === undefined ? '' : `${name === 'call' ? 'call' : 'jump'} ${target}`;
}

/** address → the instruction there, as objdump sees it */
function reference(library: string): Map<number, Reference> {
  const found = new Map<number, Reference>();
  for (const [, address = '', bytes = '', text = ''] of output('objdump', ['-d', '-w', library]).matchAll(
    /^\s+([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/gm,
  )) {
    const [length, first] = [bytes.trim().split(' ').length, bytes.slice(0, 2)];
    found.set(Number.parseInt(address, 16), { length, first, leads: leadsOf(text) });
  }
  return found;
}

describe.skipIf(!objdump)(objdump ? 'instructions' : 'instructions (skipped: no objdump)', () => {
  let program: string;
  beforeAll(() => {
    program = compileHarness('instructions');
  });

  test.each(LIBRARIES)('of %s', (name) => {
    const library = output('g++', [`-print-file-name=${name}`]).trim();
    const expected = reference(library);
    const wrong: string[] = [];
    const kinds = new Map<string, number>();
    let compared = 0;
    let known = true;
    let skipped = 0;
    for (const line of output(program, [library]).trim().split('\n')) {
      const [word = '', length = '', ...rest] = line.split(' ');
      const leads = rest.join(' ');
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
      if (theirs?.length !== Number(length) || theirs.leads !== leads) wrong.push(`${line}, not ${theirs?.leads}`);
      kinds.set(rest[0] ?? '', (kinds.get(rest[0] ?? '') ?? 0) + 1);
    }
    expect(wrong).toEqual([]);
    expect(skipped).toBeLessThanOrEqual(1);
    expect(compared).toBeGreaterThan(50_000);
    for (const kind of ['jump', 'call', 'indirect']) expect(kinds.get(kind), kind).toBeGreaterThan(20);
  });
});

test('system calls that may be replaced, and those that may not', () => {
  const object = join(folder, 'sites.so');
  execFileSync('gcc', ['-shared', '-nostdlib', '-o', object, join(import.meta.dirname, 'programs/sites.S')]);
  const labels = [...output('nm', [object]).matchAll(/^0*([0-9a-f]+) t ((?:proven|refused)_\w+)$/gm)];
  const told = output(compileHarness('sites'), [object]);
  const proven = new Set([...told.matchAll(/^proven ([0-9a-f]+)$/gm)].map(([, address]) => address));
  const wrong = labels.filter(([, address, label = '']) => proven.has(address) !== label.startsWith('proven'));
  expect(wrong.map(([, , label]) => label)).toEqual([]);
  expect(proven.size).toBe(labels.filter(([, , label = '']) => label.startsWith('proven')).length);
  expect(told).toContain(`syscalls ${labels.length}\njumped into 5\nnot instruction 1\nno function 1\nexcluded 1\n`);
});
