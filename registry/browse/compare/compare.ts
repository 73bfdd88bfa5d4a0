// SPDX-License-Identifier: Apache-2.0
import { ImageError, selectManifest } from '../../../image-format/index.ts';
import type { Service } from '../../service/index.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { checkManifestReference, checkRepository } from '../../service/names.ts';
import { type ImageFiles, ready } from '../files/image-files.ts';
import type { ComparedPage } from '../files/messages.ts';
import { readContent } from '../image/facts.ts';
import { parseKconfig } from '../image/kconfig.ts';
import { checkPage } from '../page.ts';
import type { Packages } from '../referrers/packages.ts';
import type {
  ComparedFilePage,
  CompareFilesQuery,
  CompareQuery,
  Comparison,
  FileDiff,
  ValueChange,
} from '../types/compare.ts';
import type { Image } from '../types/image.ts';
import type { Made } from '../types/paging.ts';
import { changesOf, compareLayers, valuesOf } from './changes.ts';
import { fileDiff, MOST_COMPARED } from './file-diff.ts';

type Side = CompareQuery['from'];
type Pair = { from: Side; to: Side };

/** How images differ. Of an index, the image that a node would take is compared. */
export class Comparer {
  readonly #service: Service;
  readonly #image: (repository: string, reference: string) => Promise<Image>;
  readonly #files: ImageFiles;
  readonly #packages: Packages;

  constructor(
    service: Service,
    image: (repository: string, reference: string) => Promise<Image>,
    files: ImageFiles,
    packages: Packages,
  ) {
    this.#service = service;
    this.#image = image;
    this.#files = files;
    this.#packages = packages;
  }

  async compare(query: CompareQuery): Promise<Comparison> {
    const pair = await this.#chosen(query);
    const [from, to] = await Promise.all([
      this.#image(pair.from.repository, pair.from.reference),
      this.#image(pair.to.repository, pair.to.reference),
    ]);
    const [kernels, packages, files] = await Promise.all([
      this.#kernels(pair, from, to),
      this.#packagesOf(pair),
      this.#fileCounts(pair),
    ]);
    return {
      from: { ...sideOf(query.from, from), ...kernels.from },
      to: { ...sideOf(query.to, to), ...kernels.to },
      same: from.digest === to.digest,
      layers: compareLayers(from, to),
      toFetch: toFetch(from, to),
      config: changesOf(valuesOf(from.run, from), valuesOf(to.run, to)),
      annotations: changesOf(new Map(Object.entries(from.annotations)), new Map(Object.entries(to.annotations))),
      ...(kernels.changes === undefined ? {} : { kconfig: kernels.changes }),
      ...(packages === undefined ? {} : { packages }),
      files,
    };
  }

  async compareFiles(query: CompareFilesQuery): Promise<Made<ComparedFilePage>> {
    const { page, size } = checkPage(query);
    const pair = await this.#chosen(query);
    const { search, change } = query;
    return this.#pairPage(pair, { search, change, page, size }, ({ rows, matched, total }) => ({
      page,
      size,
      matched,
      total,
      rows,
    }));
  }

  async compareFile(query: CompareQuery, path: string): Promise<Made<FileDiff>> {
    const pair = await this.#chosen(query);
    const [from, to] = await Promise.all([
      this.#files.whole(pair.from, path, MOST_COMPARED),
      this.#files.whole(pair.to, path, MOST_COMPARED),
    ]);
    if (from.state !== 'ready') return from;
    if (to.state !== 'ready') return to;
    return ready(fileDiff(path, from.value, to.value));
  }

  async #chosen({ from, to }: CompareQuery): Promise<Pair> {
    const [first, second] = await Promise.all([this.#imageIn(from), this.#imageIn(to)]);
    return { from: first, to: second };
  }

  async #imageIn(side: Side): Promise<Side> {
    const document = readContent(await this.#stored(side))?.document;
    if (document?.kind !== 'index') return side;
    const { manifests } = document.value;
    try {
      return { ...side, reference: selectManifest(document.value).digest };
    } catch (error) {
      const [first] = manifests;
      if (!(error instanceof ImageError) || first === undefined) throw error;
      return { ...side, reference: first.digest };
    }
  }

  #stored({ repository, reference }: Side): Promise<StoredManifest> {
    return this.#service.manifests.get(checkRepository(repository), checkManifestReference(reference));
  }

  /** Kernel versions and options, of two unikernels. */
  async #kernels({ from, to }: Pair, first: Image, second: Image) {
    if (!isUnikernel(first) || !isUnikernel(second)) return {};
    const [before, after] = await Promise.all([
      this.#files.texts(from.repository, from.reference),
      this.#files.texts(to.repository, to.reference),
    ]);
    if (before.state !== 'ready') return { changes: before };
    if (after.state !== 'ready') return { changes: after };
    return {
      from: versionIn(before.value['boot/kernel.json']),
      to: versionIn(after.value['boot/kernel.json']),
      changes: ready(changesOf(optionsIn(before.value['boot/config']), optionsIn(after.value['boot/config']))),
    };
  }

  async #packagesOf(pair: Pair): Promise<ValueChange[] | undefined> {
    const [from, to] = await Promise.all(
      [pair.from, pair.to].map(async (side) => this.#packages.of(side.repository, await this.#stored(side))),
    );
    if (from === undefined || to === undefined) return undefined;
    const versions = ({ packages }: typeof from) =>
      new Map(
        packages.map(({ name, version, type }) => [type === undefined ? name : `${type} ${name}`, version ?? '']),
      );
    return changesOf(versions(from), versions(to)).slice(0, 2_000);
  }

  #fileCounts(pair: Pair): Promise<Comparison['files']> {
    const page = { search: undefined, change: undefined, page: 1, size: 1 };
    return this.#pairPage(pair, page, ({ added, removed, changed, from, to }) => ({
      added,
      removed,
      changed,
      from,
      to,
    }));
  }

  async #pairPage<T>(
    pair: Pair,
    query: Pick<CompareFilesQuery, 'search' | 'change'> & { page: number; size: number },
    read: (page: ComparedPage) => T,
  ): Promise<Made<T>> {
    const [from, to] = await Promise.all([
      this.#files.keys(pair.from.repository, pair.from.reference),
      this.#files.keys(pair.to.repository, pair.to.reference),
    ]);
    // What can never be shown is said at once.
    if (to.state === 'refused') return to;
    if (from.state !== 'ready') return from;
    if (to.state !== 'ready') return to;
    const { search, change, page, size } = query;
    const asked = { about: 'pair' as const, from: from.value, to: to.value, search, change, page, size };
    return this.#files.ask(asked, (answer) => read(answer as ComparedPage));
  }
}

function sideOf({ repository, reference }: Side, { digest, size, created }: Image) {
  return {
    repository,
    reference,
    digest,
    ...(size === undefined ? {} : { size }),
    ...(created === undefined ? {} : { created }),
  };
}

function isUnikernel({ layers, variant }: Image): boolean {
  return variant !== undefined || layers.some(({ role }) => role === 'kernel');
}

function toFetch(from: Image, to: Image): number {
  const held = new Set([...from.layers.map(({ digest }) => digest), from.config?.digest]);
  const wanted = new Map(
    [...to.layers, ...(to.config === undefined ? [] : [to.config])].map((one) => [one.digest, one]),
  );
  return [...wanted.values()].reduce((sum, { digest, size }) => (held.has(digest) ? sum : sum + size), 0);
}

function optionsIn(text: string | undefined): Map<string, string> {
  return new Map(parseKconfig(text ?? '').map(({ name, value }) => [name, value]));
}

function versionIn(text: string | undefined): { kernelVersion?: string } {
  try {
    const version: unknown = JSON.parse(text ?? '{}').version;
    return typeof version === 'string' ? { kernelVersion: version } : {};
  } catch {
    return {};
  }
}
