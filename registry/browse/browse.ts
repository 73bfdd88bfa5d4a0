// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { Service } from '../service/index.ts';
import type { StoredManifest } from '../service/manifests.ts';
import { checkManifestReference, checkRepository } from '../service/names.ts';
import { type Surroundings, SYSTEM } from '../service/surroundings.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { Comparer } from './compare/compare.ts';
import type { Browse } from './contract.ts';
import { ImageFiles } from './files/image-files.ts';
import { LayerIndexes } from './files/layer-indexes.ts';
import type { IndexLimits } from './files/make-index.ts';
import { FilesThread } from './files/thread.ts';
import { configDocument, manifestDocument } from './image/document.ts';
import { AllFacts } from './image/facts.ts';
import { ImageView } from './image/image-view.ts';
import { kconfigOf, kernelOf } from './image/kernel.ts';
import { Sharing } from './image/sharing.ts';
import { cutPage, matches, wordsOf } from './page.ts';
import { artifactContent } from './referrers/artifact.ts';
import { Packages } from './referrers/packages.ts';
import { ReferrerTrees } from './referrers/tree.ts';
import { attachmentsOf } from './repositories/attachments.ts';
import { keepContents } from './repositories/contents.ts';
import { keepGraphs } from './repositories/graph.ts';
import { RepositoryList } from './repositories/list.ts';
import { Names } from './repositories/names.ts';
import { overview } from './repositories/overview.ts';
import { Summaries } from './repositories/summaries.ts';
import { TagList } from './repositories/tag-list.ts';
import { keepTagged, tagsAt } from './repositories/tagged.ts';
import { UntaggedList } from './repositories/untagged-list.ts';
import { Space } from './space/space.ts';
import { within } from './within.ts';

export interface BrowseOptions {
  store: ObjectStore;
  service: Service;
  surroundings?: Surroundings | undefined;
  /** What the index of a layer may take; left out: see `files/layer-indexes.ts`. */
  indexLimits?: Partial<IndexLimits> | undefined;
}

/** Browsing, out of a store that others may write to meanwhile. Nothing is read before somebody asks. */
export function createBrowse({ store, service, surroundings = SYSTEM, indexLimits }: BrowseOptions): Browse {
  const { changes } = service;
  const contents = keepContents(store, changes, surroundings);
  const tagged = keepTagged(store, service, changes, surroundings);
  const graphs = keepGraphs(store, service, changes, surroundings);
  const facts = new AllFacts(service);
  const names = new Names(service.catalog, changes, surroundings);
  const summaries = new Summaries(contents, changes, surroundings);
  const list = new RepositoryList(names, summaries);
  const tags = new TagList(service, store, contents, facts);
  const untagged = new UntaggedList(store, { contents, tagged, graphs }, facts);
  const sharing = new Sharing(store, service, graphs, tagged);
  const thread = new FilesThread();
  const indexes = new LayerIndexes(store, service, surroundings, thread, indexLimits);
  const files = new ImageFiles(service, indexes, thread);
  const images = new ImageView(service, facts, sharing, async (digest) => (await indexes.peek(digest))?.unpacked);
  const trees = new ReferrerTrees(service, contents);

  const manifestAt = async (repository: string, reference: string): Promise<StoredManifest> =>
    service.manifests.get(checkRepository(repository), checkManifestReference(reference));
  const known = async (repository: string) => {
    if (await service.catalog.has(checkRepository(repository))) return;
    throw new RegistryError('NAME_UNKNOWN', `there is no repository ${repository}`);
  };
  const packages = new Packages(service, trees, thread);
  const imageAt = async (repository: string, reference: string) => {
    const manifest = await manifestAt(repository, reference);
    const { digest } = manifest;
    const [read, at, partOf] = await Promise.all([
      contents.of(repository),
      tagsAt(store, service, repository, digest),
      sharing.indexesOf(repository, digest),
    ]);
    const attached = await attachmentsOf(facts, repository, read, digest);
    const moved = isDigest(reference) ? undefined : read.moved.get(reference);
    return images.of(repository, manifest, { tags: at, partOf, pushed: moved ?? manifest.version, ...attached });
  };
  /** What a comparison needs of an image: nothing about who points at it, and who shares its layers. */
  const bareImageAt = async (repository: string, reference: string) => {
    const manifest = await manifestAt(repository, reference);
    const said = { tags: [], partOf: [], pushed: manifest.version, signed: false, referrers: 0 };
    return images.of(repository, manifest, said, { counted: false });
  };
  const comparer = new Comparer(service, bareImageAt, files, packages);
  const space = new Space(store, service, surroundings, names, { contents, tagged, graphs });

  return {
    repositories: (query = {}) => list.page(query),
    async repository(name, { waitMs } = {}) {
      await known(name);
      const [read, digests] = await Promise.all([contents.of(name), within(waitMs, untagged.digests(name))]);
      return overview(service, name, read, digests?.length);
    },
    tags: (repository, query = {}) => tags.page(repository, query),
    tagHistory: (repository, tag) => tags.history(repository, tag),
    async untagged(repository, query = {}) {
      await known(repository);
      return untagged.page(repository, query);
    },
    image: imageAt,
    async document(repository, reference, part = 'manifest') {
      const manifest = await manifestAt(repository, reference);
      return part === 'manifest'
        ? manifestDocument(repository, manifest)
        : configDocument(service, repository, manifest);
    },
    sharing: (query) => sharing.page(query),
    async referrers(repository, reference) {
      return trees.of(repository, await manifestAt(repository, reference));
    },
    kernel: (repository, reference) => kernelOf(files, repository, reference),
    kconfig: (repository, reference, query = {}) => kconfigOf(files, repository, reference, query),
    root: (repository, reference) => files.summary(repository, reference),
    files: (place, query = {}) => files.list(place, query),
    file: (place, path) => files.view(place, path),
    openFile: (place, path) => files.open(place, path),
    async packages(repository, reference, query = {}) {
      const found = await packages.of(repository, await manifestAt(repository, reference));
      if (found === undefined) return undefined;
      const words = wordsOf(query.search);
      const rows = found.packages.filter(({ name }) => matches(name, words));
      return { ...cutPage(rows, query), total: found.packages.length, digest: found.digest, format: found.format };
    },
    async artifact(repository, reference, layer = 0) {
      return artifactContent(service, repository, await manifestAt(repository, reference), layer);
    },
    compare: (query) => comparer.compare(query),
    compareFiles: (query) => comparer.compareFiles(query),
    compareFile: (query, path) => comparer.compareFile(query, path),
    space: (query = {}) => space.page(query),
    async spaceOf(repository, query = {}) {
      await known(repository);
      return space.ofRepository(repository, query);
    },
    async close() {
      summaries.close();
      space.close();
      await indexes.close();
    },
  };
}
