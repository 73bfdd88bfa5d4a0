// SPDX-License-Identifier: Apache-2.0

/** What a collection looked at, and what it did. */
export const COUNTS = [
  'repositories',
  'manifests',
  'links',
  'blobs',
  'data',
  /** Unfinished uploads that were given up. */
  'uploadsExpired',
  /** A repository's claim on a blob that none of its manifests names. */
  'linksCondemned',
  'linksRevived',
  'linksDeleted',
  /** Blobs that no repository links. */
  'blobsCondemned',
  'blobsRevived',
  'blobsDeleted',
  /** Tombstones, records of deleted blobs, tags and entries of manifests that are gone, the far end of tags' histories. */
  'entriesDeleted',
  /** Whole data that no record names, and unfinished data that no upload names. */
  'leftDataDeleted',
  /** Of blobs and of left data; unfinished data does not say how much it is in every store. */
  'bytesFreed',
] as const;

export type Counts = Record<(typeof COUNTS)[number], number>;

/** Something that could not be judged; what depends on it was left alone. */
export interface Problem {
  /** A record's key, or a repository. */
  where: string;
  message: string;
}

export interface CollectionReport {
  /**
   * `busy`: another collection is at work, nothing was done. `superseded`: another one took this one's place, and goes
   * on where it was.
   */
  outcome: 'finished' | 'busy' | 'superseded';
  /** Nothing was changed: the counts say what would have been. */
  dryRun: boolean;
  /** It went on where an earlier one had ended, whose counts are in these. */
  resumed: boolean;
  counts: Counts;
  /** The first hundred. */
  problems: Problem[];
}

const PROBLEMS_KEPT = 100;

export class Tally {
  readonly counts: Counts;
  readonly problems: Problem[] = [];

  constructor(before: Partial<Counts> = {}) {
    this.counts = Object.fromEntries(COUNTS.map((name) => [name, before[name] ?? 0])) as Counts;
  }

  add(name: keyof Counts, much = 1): void {
    this.counts[name] += much;
  }

  problem(where: string, error: Error): void {
    const known = this.problems.some((one) => one.where === where && one.message === error.message);
    if (!known && this.problems.length < PROBLEMS_KEPT) this.problems.push({ where, message: error.message });
  }
}
