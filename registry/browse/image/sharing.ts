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
import { tagsAt } from '../repositories/tagged.ts';
import { MOST_SHARING, type SharedBy, type SharingPage, type SharingQuery } from '../types/image.ts';

/** A page does not wait until more manifests of a repository are read. */
const MOST_READ_FOR_A_PAGE = 1_000;
/** Images of one repository that a row names. */
const MOST_IMAGES = 20;

interface Holders {
  names: string[];
  more: boolean;
}

/** How long a list of repositories that hold a layer may be used again. */
const HOLDERS_MS = 3_000;

/** Who else uses a layer. */
export class Sharing {
  readonly #store: ObjectStore;
  readonly #service: Service;
  readonly #graphs: Graphs;
  readonly #known = new LRUCache<Digest, Promise<Holders>>({ max: 200, ttl: HOLDERS_MS });

  constructor(store: ObjectStore, service: Service, graphs: Graphs) {
    this.#store = store;
    this.#service = service;
    this.#graphs = graphs;
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
    const rows = await atOnce(cut.rows, 12, async (name) => {
      // Who may hold the blob is a superset.
      if ((await this.#service.blobs.find(name, layer)) === undefined) return undefined;
      const graph = await this.#graphs.of(name);
      const found = namersOf(graph, layer);
      const images = await atOnce(found.slice(0, MOST_IMAGES), 8, async (digest) => ({
        digest,
        tags: await tagsAt(this.#store, this.#service, name, digest),
      }));
      return { repository: name, images, more: graph.more || found.length > MOST_IMAGES };
    });
    return { ...cut, total: ordered.length, rows: rows.filter((row) => row !== undefined) };
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
