// SPDX-License-Identifier: Apache-2.0
import { structuredPatch } from 'diff';
import type { FileDiff } from '../types/compare.ts';

/** Bytes of a text that is compared line by line. */
export const MOST_COMPARED = 512 * 1024;
const CONTEXT = 3;
/** A comparison of texts that share nothing takes long; it is broken off. */
const WITHIN_MS = 300;
/** Lines that are shown in all. */
const MOST_LINES = 5_000;

type Content = Buffer | undefined | 'large';

/** How the text of a file differs; undefined stands for a file that is not there. */
export function fileDiff(path: string, from: Content, to: Content): FileDiff {
  const without = (reason: NonNullable<FileDiff['reason']>): FileDiff => ({ path, reason, hunks: [] });
  if (from === undefined && to === undefined) return without('no-file');
  if (from === 'large' || to === 'large') return without('large');
  if (from !== undefined && to !== undefined && from.equals(to)) return without('same');
  const [before, after] = [textOf(from), textOf(to)];
  if (before === undefined || after === undefined) return without('binary');
  const patch = structuredPatch('', '', before, after, '', '', { context: CONTEXT, timeout: WITHIN_MS });
  if (patch === undefined) return without('large');
  let left = MOST_LINES;
  const hunks = patch.hunks.map(({ oldStart, newStart, lines }) => ({
    fromLine: oldStart,
    toLine: newStart,
    lines: lines.filter((line) => !line.startsWith('\\') && left-- > 0).map(shown),
  }));
  return { path, hunks: hunks.filter(({ lines }) => lines.length > 0) };
}

function shown(line: string): FileDiff['hunks'][number]['lines'][number] {
  const kind = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : 'same';
  return { kind, text: line.slice(1) };
}

function textOf(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return '';
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
