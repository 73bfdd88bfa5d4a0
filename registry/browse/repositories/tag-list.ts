// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import { tagHistoryPrefix } from '../../service/keys.ts';
import { checkRepository, checkTag } from '../../service/names.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { atOnce, PAGE_WIDTH } from '../at-once.ts';
import { orMissing } from '../content.ts';
import type { AllFacts } from '../image/facts.ts';
import { cutPage, matches, wordsOf } from '../page.ts';
import type { TagHistory, TagPage, TagRow, TagsQuery } from '../types/repository.ts';
import { attachmentsOf } from './attachments.ts';
import type { AllContents, Contents } from './contents.ts';
import { factsOfRow } from './rows.ts';
import { readMove } from './tag-move.ts';
import { compareTags } from './version-order.ts';

/** Moves of a tag that are shown; the collector keeps a hundred. */
const MOST_MOVES = 100;

/** The tags of a repository: one page of rows, each as its record says now. */
export class TagList {
  readonly #service: Service;
  readonly #store: ObjectStore;
  readonly #contents: AllContents;
  readonly #facts: AllFacts;

  constructor(service: Service, store: ObjectStore, contents: AllContents, facts: AllFacts) {
    this.#service = service;
    this.#store = store;
    this.#contents = contents;
    this.#facts = facts;
  }

  async page(repository: string, query: TagsQuery): Promise<TagPage> {
    const contents = await this.#known(repository);
    const words = wordsOf(query.search);
    const found = contents.versions.filter((tag) => matches(tag, words));
    const cut = cutPage(inOrder(found, contents, query.sort ?? 'version'), query);
    const rows = await atOnce(cut.rows, PAGE_WIDTH, (tag) => this.#row(repository, contents, tag));
    return { ...cut, total: contents.versions.length, rows: rows.filter((row) => row !== undefined) };
  }

  /** @throws RegistryError `NAME_UNKNOWN`, `TAG_INVALID`, `MANIFEST_UNKNOWN` for a tag that never was */
  async history(repository: string, tag: string): Promise<TagHistory> {
    await this.#known(repository);
    const prefix = `${tagHistoryPrefix(repository)}${checkTag(tag)}/`;
    const keys: string[] = [];
    for (let after = ''; ; ) {
      const page = await this.#store.list({ prefix, after, limit: 1000 });
      keys.push(...page.keys);
      after = page.keys.at(-1) ?? after;
      if (!page.more) break;
    }
    if (keys.length === 0 && (await this.#service.tags.find(repository, tag)) === undefined) {
      throw new RegistryError('MANIFEST_UNKNOWN', `${repository} never had a tag ${tag}`);
    }
    const newest = keys.slice(-MOST_MOVES).reverse();
    const moves = await atOnce(newest, PAGE_WIDTH, async (key) => {
      const move = await readMove(this.#store, key);
      if (move?.digest === undefined) return move === undefined ? undefined : { ...move, held: false };
      const held = await orMissing(this.#service.manifests.get(repository, { digest: move.digest }));
      return { ...move, held: held !== undefined };
    });
    return { tag, moves: moves.filter((move) => move !== undefined), more: keys.length > MOST_MOVES };
  }

  async #known(repository: string): Promise<Contents> {
    if (!(await this.#service.catalog.has(checkRepository(repository)))) {
      throw new RegistryError('NAME_UNKNOWN', `there is no repository ${repository}`);
    }
    return this.#contents.of(repository);
  }

  /** @returns undefined for a tag that went away meanwhile */
  async #row(repository: string, contents: Contents, tag: string): Promise<TagRow | undefined> {
    const facts = await this.#facts.of(repository, { tag });
    if (facts === undefined) return undefined;
    const attached = await attachmentsOf(this.#facts, repository, contents, facts.digest);
    return { tag, pushed: contents.moved.get(tag) ?? facts.pushed, ...factsOfRow(facts, attached) };
  }
}

function inOrder(tags: readonly string[], { moved }: Contents, sort: NonNullable<TagsQuery['sort']>): string[] {
  switch (sort) {
    case 'name':
      return [...tags];
    case 'version':
      return [...tags].sort(compareTags);
    case 'pushed':
      return [...tags].sort((a, b) => (moved.get(b) ?? 0) - (moved.get(a) ?? 0));
  }
}
