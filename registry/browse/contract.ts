// SPDX-License-Identifier: Apache-2.0
import type {
  ArtifactContent,
  ComparedFilePage,
  CompareFilesQuery,
  CompareQuery,
  Comparison,
  Document,
  FileDiff,
  FilePage,
  FilesPlace,
  FilesQuery,
  FileView,
  Image,
  KconfigPage,
  KconfigQuery,
  Kernel,
  Made,
  PackagePage,
  PackagesQuery,
  PageQuery,
  ReferrerTree,
  RepositoriesQuery,
  Repository,
  RepositoryPage,
  RootSummary,
  SharingPage,
  SharingQuery,
  SpacePage,
  SpaceQuery,
  TagHistory,
  TagPage,
  TagSpaces,
  TagsQuery,
  UntaggedPage,
} from './types.ts';

/**
 * What can be seen of a registry. Pages and `/api/v1` call it in the process that answers; nothing here knows HTTP.
 *
 * A `reference` is a tag or a digest. Errors are `RegistryError`s: `NAME_INVALID`, `NAME_UNKNOWN`, `TAG_INVALID`,
 * `DIGEST_INVALID`, `MANIFEST_UNKNOWN`, `BLOB_UNKNOWN`, `FILE_UNKNOWN`, `PARAMETER_INVALID`, `CONTENT_UNREADABLE`, and
 * those of the storage.
 */
export interface Browse {
  repositories(query?: RepositoriesQuery): Promise<RepositoryPage>;
  /** @param wait milliseconds for what takes long to count, which is left out else; default: until it is counted */
  repository(name: string, wait?: { waitMs?: number | undefined }): Promise<Repository>;
  tags(repository: string, query?: TagsQuery): Promise<TagPage>;
  tagHistory(repository: string, tag: string): Promise<TagHistory>;
  untagged(repository: string, query?: PageQuery): Promise<UntaggedPage>;

  /** A manifest of any kind. */
  image(repository: string, reference: string): Promise<Image>;
  /** The text of a manifest, or of its config. */
  document(repository: string, reference: string, part?: 'manifest' | 'config'): Promise<Document>;
  /** Which images share a layer, the own repository first. */
  sharing(query: SharingQuery): Promise<SharingPage>;

  kernel(repository: string, reference: string): Promise<Made<Kernel>>;
  kconfig(repository: string, reference: string, query?: KconfigQuery): Promise<Made<KconfigPage>>;

  /** What all layers come to, with the space that is wasted. */
  root(repository: string, reference: string): Promise<Made<RootSummary>>;
  /** A folder, or what a search finds below it. @throws RegistryError `FILE_UNKNOWN` */
  files(place: FilesPlace, query?: FilesQuery): Promise<Made<FilePage>>;
  /** The start of one file. @throws RegistryError `FILE_UNKNOWN` */
  file(place: FilesPlace, path: string): Promise<Made<FileView>>;
  /** The whole of one file, to download. Links are followed. @throws RegistryError `FILE_UNKNOWN` */
  openFile(place: FilesPlace, path: string): Promise<Made<OpenFile>>;

  referrers(repository: string, reference: string): Promise<ReferrerTree>;
  /** What the SBOM of an image lists, or what an SBOM lists; undefined where there is none. */
  packages(repository: string, reference: string, query?: PackagesQuery): Promise<PackagePage | undefined>;
  /** The content of an artifact (signature, SBOM, provenance), made readable. */
  artifact(repository: string, reference: string, layer?: number): Promise<ArtifactContent>;

  compare(query: CompareQuery): Promise<Comparison>;
  compareFiles(query: CompareFilesQuery): Promise<Made<ComparedFilePage>>;
  compareFile(query: CompareQuery, path: string): Promise<Made<FileDiff>>;

  space(query?: SpaceQuery): Promise<Made<SpacePage>>;
  spaceOf(repository: string, query?: SpaceQuery): Promise<Made<TagSpaces>>;

  close(): Promise<void>;
}

/** Bytes of a file in a layer. Iterated once, or disposed of. */
export interface OpenFile extends AsyncDisposable {
  /** Last part of the path, as `FileRow.name`. */
  name: string;
  size: number;
  content: AsyncIterable<Uint8Array>;
}
