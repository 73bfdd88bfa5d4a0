// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { CompileProgress, compiledFile, type KernelProgress } from './progress.ts';

test.each([
  ['  CC      mm/slub.o', 'mm/slub.o'],
  ['  AR      drivers/built-in.a', 'drivers/built-in.a'],
  ['  LD      vmlinux', 'vmlinux'],
  ['  HOSTCC  scripts/mod/mk_elfconfig', 'scripts/mod/mk_elfconfig'],
  ['make[1]: Entering directory', undefined],
  ['mm/slub.c: In function', undefined],
  ['    indented source', undefined],
])('%j makes %s', (line, file) => {
  expect(compiledFile(line)).toBe(file);
});

test('counts steps, and the total never falls behind', () => {
  const events: KernelProgress[] = [];
  const progress = new CompileProgress(1, (event) => events.push(event));
  for (let step = 0; step < 5; step++) progress.line(`  CC      file${step}.o`);
  progress.line('not a step');
  expect(progress.done).toBe(5);
  expect(events[0]).toEqual({ phase: 'compile', done: 1, total: 1, text: 'file0.o' });
  for (const { done = 0, total = 0 } of events) expect(total).toBeGreaterThanOrEqual(done);
});

test('without an earlier build there is no total', () => {
  const events: KernelProgress[] = [];
  new CompileProgress(0, (event) => events.push(event)).line('  CC      file.o');
  expect(events).toEqual([{ phase: 'compile', done: 1, text: 'file.o' }]);
});
