// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { Digest } from '../../../image-format/index.ts';
import type { Service } from '../../service/index.ts';
import { blobRepositoriesPrefix, manifestsPrefix } from '../../service/keys.ts';
import { checkDigest, checkRepository } from '../../service/names.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { atOnce } from '../at-once.ts';
import { cutPage } from '../page.ts';
import type { Graph, Graphs } from '../repositories/graph.ts';
import type { AllTagged } from '../repositories/tagged.ts';
import { MOST_SHARING, type SharedBy, type SharingPage, type SharingQuery } from '../types/image.ts';
import { within } from '../within.ts';

/** A page does not wait until more manifests of a repository are read. */
const MOST_READ_FOR_A_PAGE = 1_000;
/** Images of one repository that a row names. */
const MOST_IMAGES = 20;
/** Tags of one image that a row names. */
const MOST_TAGS = 100;

interface Holders {
  names: string[];
  more: boolean;
}

type SharingRow = SharingPage['rows'][number];

/** Repositories that are read at once. */
const WIDTH = 4;
/** How long it may be used again who holds a layer, and which images those are. */
const KEPT_MS = 15_000;

/** Who else uses a layer. */
export class Sharing {
  readonly #store: ObjectStore;
  readonly #service: Service;
  readonly #graphs: Graphs;
  readonly #tagged: AllTagged;
  readonly #known = new LRUCache<Digest, Promise<Holders>>({ max: 200, ttl: KEPT_MS });
  readonly #rows = new LRUCache<string, Promise<SharingRow | undefined>>({ max: 2_000, ttl: KEPT_MS });

  constructor(store: ObjectStore, service: Service, graphs: Graphs, tagged: AllTagged) {
    this.#store = store;
    this.#service = service;
    this.#graphs = graphs;
    this.#tagged = tagged;
  }

  /** @param image the manifest that is not counted */
  async count(repository: string, image: Digest, layer: Digest): Promise<SharedBy> {
    const [holders, graph] = await Promise.all([this.#holders(layer), this.#graphForPage(repository)]);
    const others = holders.names.filter((name) => name !== repository).length;
    const images = graph === undefined ? [] : namersOf(graph, layer).filter((digest) => digest !== image);
    return { repositories: others, images: images.length, more: holders.more || graph === undefined || graph.more };
  }

  /** The images of this repository first, then the other repositories in order. */
  async page(query: SharingQuery): Promise<SharingPage> {
    const repository = checkRepository(query.repository);
    const layer = checkDigest(query.digest);
    await this.#service.blobs.get(repository, layer);
    const { names } = await this.#holders(layer);
    const ordered = [repository, ...names.filter((name) => name !== repository)];
    const cut = cutPage(ordered, query);
    const read = new Map<string, SharingRow | undefined>();
    const reading = atOnce(cut.rows, WIDTH, async (name) => read.set(name, await this.#row(name, layer)));
    await within(query.waitMs, reading);
    const rows = cut.rows.map((name) => (read.has(name) ? read.get(name) : { repository: name, more: false }));
    const making = { done: read.size, total: cut.rows.length, unit: 'repositories' } as const;
    return {
      ...cut,
      total: ordered.length,
      rows: rows.filter((row) => row !== undefined),
      ...(read.size < cut.rows.length ? { making } : {}),
    };
  }

  /** Kept for a while: a page that did not wait for it asks again. */
  #row(repository: string, layer: Digest): Promise<SharingRow | undefined> {
    const key = `${layer} ${repository}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const read = this.#readRow(repository, layer);
    this.#rows.set(key, read);
    read.catch(() => this.#rows.delete(key));
    return read;
  }

  async #readRow(repository: string, layer: Digest): Promise<SharingRow | undefined> {
    // Who may hold the blob is a superset.
    if ((await this.#service.blobs.find(repository, layer)) === undefined) return undefined;
    const graph = await this.#graphs.of(repository);
    const found = namersOf(graph, layer);
    const tagged = await this.#tagged.of(repository);
    const tagsAt = (digest: Digest) => (tagged.get(digest) ?? []).slice(0, MOST_TAGS);
    const images = found.slice(0, MOST_IMAGES).map((digest) => ({ digest, tags: tagsAt(digest) }));
    return { repository, images, more: graph.more || found.length > MOST_IMAGES };
  }

  /** The indexes of a repository that list a manifest, as far as a page may wait for that. */
  async indexesOf(repository: string, digest: Digest): Promise<Digest[]> {
    const graph = await this.#graphForPage(repository);
    return [...(graph?.manifests ?? [])].flatMap(([parent, { index, names }]) =>
      index && names.has(digest) ? parent : [],
    );
  }

  /** Of a layer that many images share, the list is asked for by each of their pages. */
  #holders(layer: Digest): Promise<Holders> {
    const known = this.#known.get(layer);
    if (known !== undefined) return known;
    const read = this.#readHolders(layer);
    this.#known.set(layer, read);
    read.catch(() => this.#known.delete(layer));
    return read;
  }

  async #readHolders(layer: Digest): Promise<Holders> {
    const prefix = blobRepositoriesPrefix(layer);
    const { keys, more } = await this.#store.list({ prefix, limit: MOST_SHARING });
    return { names: keys.map((key) => key.slice(prefix.length, -1)), more };
  }

  async #graphForPage(repository: string): Promise<Graph | undefined> {
    const known = await this.#graphs.peek(repository);
    if (known !== undefined) return known;
    const { more } = await this.#store.list({ prefix: manifestsPrefix(repository), limit: MOST_READ_FOR_A_PAGE });
    if (!more) return this.#graphs.of(repository);
    // The next page knows.
    this.#graphs.of(repository).catch(() => undefined);
    return undefined;
  }
}

function namersOf({ manifests }: Graph, layer: Digest): Digest[] {
  return [...manifests].flatMap(([digest, { index, names }]) => (!index && names.has(layer) ? digest : []));
}
