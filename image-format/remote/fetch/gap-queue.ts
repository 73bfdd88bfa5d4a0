// SPDX-License-Identifier: Apache-2.0
import type { Range } from './blob-range.ts';

/** What is missing of a blob, given out from its start in pieces of any size. */
export class GapQueue {
  readonly #gaps: Range[];

  constructor(gaps: readonly Range[]) {
    this.#gaps = gaps.map((gap) => ({ ...gap }));
  }

  get isEmpty(): boolean {
    return this.#gaps.length === 0;
  }

  /** @param most bytes, above 0 */
  take(most: number): Range | undefined {
    const [gap] = this.#gaps;
    if (gap === undefined) return undefined;
    const end = Math.min(gap.end, gap.start + most);
    const piece = { start: gap.start, end };
    gap.start = end;
    if (gap.start >= gap.end) this.#gaps.shift();
    return piece;
  }
}
