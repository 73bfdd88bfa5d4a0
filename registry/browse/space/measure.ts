// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { Graph } from '../repositories/graph.ts';
import type { RepositorySpace, TagSpaces } from '../types/space.ts';

/** What the space of one repository is computed from. */
export interface Measured {
  name: string;
  graph: Graph;
  /** Blobs that the repository holds, with their sizes. */
  blobs: ReadonlyMap<Digest, number>;
  /** Whether another repository holds a blob, too. */
  isShared(digest: Digest): boolean;
  tags: readonly { tag: string; digest: Digest; moved: number }[];
  /** Tags that were moved before this time are old; the newest never is. */
  oldBefore: number;
}

/** Where a repository's space goes. Manifests belong to their repository alone. */
export function measureRepository(measured: Measured): RepositorySpace {
  const { name, graph, blobs, isShared, tags } = measured;
  const reach = new Reach(graph);
  const old = oldTags(measured);
  const current = reach.from(tags.filter((tag) => !old.has(tag.tag)).map(({ digest }) => digest));
  const all = reach.from(tags.map(({ digest }) => digest));
  const sums = { total: 0, own: 0, shared: 0, old: 0, untagged: 0 };
  const add = (digest: Digest, size: number, shared: boolean) => {
    sums.total += size;
    if (shared) sums.shared += size;
    else {
      sums.own += size;
      if (!all.has(digest)) sums.untagged += size;
      else if (!current.has(digest)) sums.old += size;
    }
  };
  for (const [digest, { size }] of graph.manifests) add(digest, size, false);
  for (const [digest, size] of blobs) add(digest, size, isShared(digest));
  return { name, ...sums, blobs: blobs.size, manifests: graph.manifests.size };
}

/** Tags of one repository that are worked out one by one. */
const MOST_TAGS = 2_000;

/** The same, tag by tag: what goes if only this tag goes. */
export function measureTags(measured: Measured): TagSpaces {
  const { graph, blobs, isShared } = measured;
  const reach = new Reach(graph);
  const old = oldTags(measured);
  const tags = [...measured.tags].sort((a, b) => b.moved - a.moved).slice(0, MOST_TAGS);
  const holders = new Map<Digest, number>();
  const reached = tags.map(({ digest }) => reach.from([digest]));
  for (const set of reached) for (const digest of set) holders.set(digest, (holders.get(digest) ?? 0) + 1);
  const sizeOf = (digest: Digest) => blobs.get(digest) ?? graph.manifests.get(digest)?.size ?? 0;
  const rows = tags.map(({ tag }, at) => {
    const mine = [...(reached[at] ?? [])];
    const own = mine.filter((digest) => holders.get(digest) === 1 && !(blobs.has(digest) && isShared(digest)));
    return { tag, total: sum(mine.map(sizeOf)), own: sum(own.map(sizeOf)), old: old.has(tag) };
  });
  return {
    ...measureRepository(measured),
    tags: rows.sort((a, b) => b.own - a.own || b.total - a.total),
    more: graph.more || measured.tags.length > MOST_TAGS,
  };
}

function oldTags({ tags, oldBefore }: Measured): Set<string> {
  const newest = tags.reduce<{ tag: string; moved: number } | undefined>(
    (found, tag) => (found === undefined || tag.moved > found.moved ? tag : found),
    undefined,
  );
  return new Set(tags.filter(({ tag, moved }) => moved < oldBefore && tag !== newest?.tag).map(({ tag }) => tag));
}

/** What is kept by whom: an index keeps its images, an image its layers, and a subject its referrers. */
class Reach {
  readonly #graph: Graph;
  readonly #referrers = new Map<Digest, Digest[]>();

  constructor(graph: Graph) {
    this.#graph = graph;
    for (const [digest, { subject }] of graph.manifests) {
      if (subject !== undefined) this.#referrers.set(subject, [...(this.#referrers.get(subject) ?? []), digest]);
    }
  }

  from(digests: readonly Digest[]): Set<Digest> {
    const reached = new Set<Digest>();
    const waiting = [...digests];
    for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
      if (reached.has(digest)) continue;
      reached.add(digest);
      waiting.push(...(this.#graph.manifests.get(digest)?.names.keys() ?? []));
      waiting.push(...(this.#referrers.get(digest) ?? []));
    }
    return reached;
  }
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
