// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { plainProgress } from './progress.ts';

function recorder() {
  const lines: string[] = [];
  const clock = { now: 0 };
  return {
    lines,
    clock,
    progress: plainProgress(
      (line) => lines.push(line),
      () => clock.now,
    ),
  };
}

describe('elsewhere than on a terminal', () => {
  test('a piece that ends says what it was', () => {
    const { lines, progress } = recorder();
    const piece = progress.piece('layer');
    piece.update({ done: 10, total: 2_000_000 });
    piece.done();
    piece.done('twice');
    expect(lines).toEqual(['layer: 2 MB done']);
  });

  test('one that takes long says now and then how far it is', () => {
    const { lines, clock, progress } = recorder();
    const piece = progress.piece('kernel', 'steps');
    piece.update({ done: 1, total: 15, text: 'patch' });
    clock.now = 10_000;
    piece.update({ done: 2, total: 15, text: 'patch' });
    piece.update({ done: 3, total: 15, text: 'patch' });
    clock.now = 20_000;
    piece.update({ done: 700, total: undefined, text: 'compile' });
    expect(lines).toEqual(['kernel: patch 2/15', 'kernel: compile 700']);
  });
});
