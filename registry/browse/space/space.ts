// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { Digest } from '../../../image-format/index.ts';
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import { blobKey, blobLinksPrefix, blobRepositoriesPrefix, digestIn } from '../../service/keys.ts';
import { parseBlob } from '../../service/records.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { atOnce } from '../at-once.ts';
import { cutPage } from '../page.ts';
import { type AllContents, keysBelow } from '../repositories/contents.ts';
import { type Graph, type Graphs, readGraph } from '../repositories/graph.ts';
import type { Names } from '../repositories/names.ts';
import type { AllTagged } from '../repositories/tagged.ts';
import type { Made, Progress } from '../types/paging.ts';
import { AGES, type RepositorySpace, type SpacePage, type SpaceQuery, type TagSpaces } from '../types/space.ts';
import { Jobs } from './jobs.ts';
import { type Measured, measureRepository, measureTags } from './measure.ts';
import { StoredSpaces, type Whole } from './stored-space.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const USUAL_DAYS = 90;
/** Repositories that are read at once. Few, because pulls come first. */
const GENTLE = 4;
/** The whole is measured again when somebody asks after this time. */
const OLDEST_MS = 10 * 60 * 1000;
/** Blobs of a registry whose sharing is worked out. */
const MOST_BLOBS = 3_000_000;

/** Where the space goes. Measured in the background when somebody asks, and kept for a while. */
export class Space {
  readonly #store: ObjectStore;
  readonly #service: Service;
  readonly #surroundings: Surroundings;
  readonly #names: Names;
  readonly #kept: { contents: AllContents; tagged: AllTagged; graphs: Graphs };
  readonly #wholes = new LRUCache<number, Whole>({ max: 3 });
  readonly #jobs = new Jobs();
  readonly #stored: StoredSpaces;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    store: ObjectStore,
    service: Service,
    surroundings: Surroundings,
    names: Names,
    kept: { contents: AllContents; tagged: AllTagged; graphs: Graphs },
  ) {
    this.#store = store;
    this.#service = service;
    this.#surroundings = surroundings;
    this.#names = names;
    this.#stored = new StoredSpaces(store, surroundings);
    this.#kept = kept;
  }

  async page(query: SpaceQuery): Promise<Made<SpacePage>> {
    const { days = USUAL_DAYS, sort = 'own' } = query;
    checkAge(days);
    const known = await this.#known(days);
    // One that is a little old is shown while it is measured anew.
    const fresh = known !== undefined && this.#surroundings.now() - known.at < OLDEST_MS;
    if (!fresh) {
      const elsewhere = await this.#stored.making(days);
      if (elsewhere !== undefined && known === undefined) return { state: 'making', progress: elsewhere };
      if (elsewhere === undefined) {
        const job = this.#jobs.run(`whole ${days}`, (progress) => this.#inTurn(days, progress));
        if (known === undefined && !(await job.soon())) return { state: 'making', progress: { ...job.progress } };
      }
    }
    const whole = this.#wholes.get(days) ?? known;
    if (whole === undefined) throw new RegistryError('STORAGE_UNAVAILABLE', 'the space could not be measured');
    const rows = sort === 'name' ? whole.rows : [...whole.rows].sort((a, b) => b[sort] - a[sort]);
    return { state: 'ready', value: { ...cutPage(rows, query), total: rows.length, all: whole.all } };
  }

  async ofRepository(repository: string, { days = USUAL_DAYS }: SpaceQuery): Promise<Made<TagSpaces>> {
    checkAge(days);
    const job = this.#jobs.run<TagSpaces>(`${repository} ${days}`, async (progress) => {
      progress.unit = 'manifests';
      const graph = await this.#kept.graphs.of(repository);
      const blobs = await this.#blobsOf(repository, graph);
      progress.total = blobs.size;
      const shared = new Set<Digest>();
      await atOnce([...blobs.keys()], GENTLE * 4, async (digest) => {
        const { keys } = await this.#store.list({ prefix: blobRepositoriesPrefix(digest), limit: 2 });
        if (keys.length > 1) shared.add(digest);
        progress.done += 1;
      });
      return measureTags(await this.#measured(repository, graph, blobs, (digest) => shared.has(digest), days));
    });
    if (!(await job.soon())) return { state: 'making', progress: { ...job.progress } };
    return { state: 'ready', value: await job.result };
  }

  close(): void {
    this.#jobs.close();
  }

  /** From memory, or as another process has left it in the storage. */
  async #known(days: number): Promise<Whole | undefined> {
    const known = this.#wholes.get(days);
    if (known !== undefined && this.#surroundings.now() - known.at < OLDEST_MS) return known;
    const stored = await this.#stored.read(days);
    if (stored === undefined || (known !== undefined && known.at >= stored.at)) return known;
    this.#wholes.set(days, stored);
    return stored;
  }

  /** One after the other: each reads all repositories. */
  #inTurn(days: number, progress: Progress): Promise<void> {
    const measured = this.#turn.then(() => this.#measureAll(days, progress));
    this.#turn = measured.catch(() => undefined);
    return measured;
  }

  async #measureAll(days: number, progress: Progress): Promise<void> {
    await using _claim = await this.#stored.claim(days, progress);
    const names = await this.#names.all();
    // Each repository is read twice: first for what it holds, then for what it names.
    progress.total = names.length * 2;
    const holders = new Map<string, number>();
    await atOnce(names, GENTLE, async (name) => {
      this.#jobs.goOn();
      for await (const digest of this.#linksOf(name)) {
        const key = shortOf(digest);
        const known = holders.get(key);
        if (known !== undefined || holders.size < MOST_BLOBS) holders.set(key, (known ?? 0) + 1);
      }
      progress.done += 1;
    });
    const isShared = (digest: Digest) => (holders.get(shortOf(digest)) ?? 1) > 1;
    const counted = new Set<string>();
    const all = {
      total: 0,
      own: 0,
      shared: 0,
      old: 0,
      untagged: 0,
      blobs: 0,
      manifests: 0,
      repositories: names.length,
    };
    const rows = await atOnce(names, GENTLE, async (name) => {
      this.#jobs.goOn();
      const graph = (await this.#kept.graphs.peek(name)) ?? (await readGraph(this.#store, this.#service, name));
      const blobs = await this.#blobsOf(name, graph);
      const row = measureRepository(await this.#measured(name, graph, blobs, isShared, days));
      for (const [digest, size] of blobs) addShared(digest, size);
      progress.done += 1;
      return row;
    });
    const addRow = (row: RepositorySpace) => {
      for (const field of ['own', 'old', 'untagged', 'manifests'] as const) all[field] += row[field];
    };
    for (const row of rows) addRow(row);
    all.total = all.own + all.shared;
    all.blobs = holders.size;
    const whole = { at: this.#surroundings.now(), all, rows };
    this.#wholes.set(days, whole);
    await this.#stored.write(days, whole);

    /** What several repositories hold counts once in the whole. */
    function addShared(digest: Digest, size: number): void {
      const key = shortOf(digest);
      if ((holders.get(key) ?? 1) <= 1 || counted.has(key)) return;
      counted.add(key);
      all.shared += size;
    }
  }

  async #measured(
    name: string,
    graph: Graph,
    blobs: ReadonlyMap<Digest, number>,
    isShared: (digest: Digest) => boolean,
    days: number,
  ): Promise<Measured> {
    const [tagged, contents] = await Promise.all([this.#kept.tagged.of(name), this.#kept.contents.of(name)]);
    const tags = [...tagged].flatMap(([digest, names]) =>
      names.map((tag) => ({
        tag,
        digest,
        moved: contents.moved.get(tag) ?? graph.manifests.get(digest)?.pushed ?? 0,
      })),
    );
    return { name, graph, blobs, isShared, tags, oldBefore: this.#surroundings.now() - days * DAY_MS };
  }

  /** What the repository holds; sizes as its manifests say, and as the records say of what no manifest names. */
  async #blobsOf(repository: string, { manifests }: Graph): Promise<Map<Digest, number>> {
    const said = new Map<Digest, number>();
    for (const { names } of manifests.values()) for (const [digest, size] of names) said.set(digest, size);
    const blobs = new Map<Digest, number>();
    const unnamed: Digest[] = [];
    for await (const digest of this.#linksOf(repository)) {
      const size = said.get(digest);
      if (size === undefined) unnamed.push(digest);
      else blobs.set(digest, size);
    }
    await atOnce(unnamed, GENTLE * 2, async (digest) => {
      const stored = await this.#store.get(blobKey(digest));
      const record = stored === undefined ? undefined : parseBlob(stored, blobKey(digest));
      if (record !== undefined && record.state !== 'deleted') blobs.set(digest, record.size);
    });
    return blobs;
  }

  async *#linksOf(repository: string): AsyncGenerator<Digest> {
    const prefix = blobLinksPrefix(repository);
    for await (const key of keysBelow(this.#store, prefix)) {
      const digest = digestIn(key, prefix);
      if (digest !== undefined) yield digest;
    }
  }
}

/** @throws RegistryError `PARAMETER_INVALID` */
function checkAge(days: number): void {
  if (AGES.some((age) => age === days)) return;
  throw new RegistryError('PARAMETER_INVALID', `the parameter days is one of ${AGES.join(', ')}`);
}

/** Enough of a digest to tell blobs apart, in a fifth of the memory. */
function shortOf(digest: Digest): string {
  const hex = digest.slice(digest.indexOf(':') + 1);
  return hex.slice(0, 24);
}
