// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { atOnce, PAGE_WIDTH } from '../at-once.ts';
import type { AllFacts } from '../image/facts.ts';
import { cutPage } from '../page.ts';
import type { PageQuery } from '../types/paging.ts';
import type { UntaggedPage, UntaggedRow } from '../types/repository.ts';
import { attachmentsOf } from './attachments.ts';
import { type AllContents, manifestDigests } from './contents.ts';
import type { Graph, Graphs } from './graph.ts';
import { factsOfRow } from './rows.ts';
import type { AllTagged } from './tagged.ts';

/** Manifests that no tag points at: old versions, images of indexes, referrers. */
export class UntaggedList {
  readonly #store: ObjectStore;
  readonly #contents: AllContents;
  readonly #tagged: AllTagged;
  readonly #graphs: Graphs;
  readonly #facts: AllFacts;

  constructor(store: ObjectStore, kept: { contents: AllContents; tagged: AllTagged; graphs: Graphs }, facts: AllFacts) {
    this.#store = store;
    this.#contents = kept.contents;
    this.#tagged = kept.tagged;
    this.#graphs = kept.graphs;
    this.#facts = facts;
  }

  async page(repository: string, query: PageQuery): Promise<UntaggedPage> {
    const [contents, graph, digests] = await Promise.all([
      this.#contents.of(repository),
      this.#graphs.of(repository),
      this.digests(repository),
    ]);
    const cut = cutPage(digests, query);
    const parents = parentsOf(graph);
    const rows = await atOnce(cut.rows, PAGE_WIDTH, async (digest): Promise<UntaggedRow | undefined> => {
      const facts = await this.#facts.of(repository, { digest });
      if (facts === undefined) return undefined;
      const attached = await attachmentsOf(this.#facts, repository, contents, digest);
      const partOf = parents.get(digest)?.[0];
      return {
        ...factsOfRow(facts, attached),
        pushed: facts.pushed,
        ...(facts.subject === undefined ? {} : { subject: facts.subject }),
        ...(partOf === undefined ? {} : { partOf }),
      };
    });
    return { ...cut, total: digests.length, rows: rows.filter((row) => row !== undefined) };
  }

  /** The newest first, as far as times are known. */
  async digests(repository: string): Promise<Digest[]> {
    const [tagged, graph] = await Promise.all([this.#tagged.of(repository), this.#graphs.of(repository)]);
    const found: Digest[] = [];
    for await (const digest of manifestDigests(this.#store, repository)) {
      // Beyond those that were read, a tombstone cannot be told from a manifest; its row is left out.
      if (!tagged.has(digest) && (graph.more || graph.manifests.has(digest))) found.push(digest);
    }
    const pushed = (digest: Digest) => graph.manifests.get(digest)?.pushed ?? 0;
    return found.sort((a, b) => pushed(b) - pushed(a));
  }
}

/** The indexes that list each manifest. */
export function parentsOf({ manifests }: Graph): Map<Digest, Digest[]> {
  const parents = new Map<Digest, Digest[]>();
  for (const [parent, { index, names }] of manifests) {
    if (!index) continue;
    for (const child of names.keys()) parents.set(child, [...(parents.get(child) ?? []), parent]);
  }
  return parents;
}
