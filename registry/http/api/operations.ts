// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import type { Browse, OpenFile } from '../../browse/index.ts';
import * as types from '../../browse/types.ts';
import { MOST_ROWS, made } from '../../browse/types.ts';

/** One path of the API: what it takes, what it answers, and how it gets that. */
export interface Operation<Q extends z.ZodObject = z.ZodObject> {
  /** Behind `/api/v1`. */
  path: string;
  /** Its name in programs that are made from the OpenAPI document. */
  id: string;
  summary: string;
  query: Q;
  /** Left out: it answers the bytes of a file. */
  answer?: z.ZodType;
  run(browse: Browse, query: z.output<Q>): Promise<unknown>;
}

const page = {
  page: z.coerce.number().int().min(1).optional().describe('which page, from 1'),
  size: z.coerce.number().int().min(1).max(MOST_ROWS).optional().describe('rows of a page'),
};
const search = z.string().max(200).optional().describe('words that must all stand in the name');
const repository = z.string().describe('name of a repository');
const reference = z.string().describe('tag or digest');
const wait = z.coerce
  .number()
  .int()
  .min(0)
  .max(60_000)
  .optional()
  .describe('milliseconds to wait for what has to be read; left out: until all is there');
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const image = { repository, reference };
const layer = z.coerce.number().int().min(0).optional().describe('number of a layer; left out: all layers together');
const path = z
  .string()
  .max(20_000)
  .describe('path without a leading slash; \\xNN stands for a byte, \\\\ for a backslash');
const pair = {
  repository,
  from: z.string().describe('tag or digest of the first image'),
  toRepository: z.string().optional().describe('repository of the second image; left out: the same'),
  to: z.string().describe('tag or digest of the second image'),
};

const days = z
  .enum(types.AGES.map(String) as [string, ...string[]])
  .transform(Number)
  .optional()
  .describe('from how many days on a tag is old');

function operation<Q extends z.ZodObject>(operation: Operation<Q>): Operation {
  return operation as unknown as Operation;
}

function both(query: { repository: string; from: string; toRepository?: string | undefined; to: string }) {
  return {
    from: { repository: query.repository, reference: query.from },
    to: { repository: query.toRepository ?? query.repository, reference: query.to },
  };
}

export const OPERATIONS: readonly Operation[] = [
  operation({
    path: '/repositories',
    id: 'listRepositories',
    summary: 'Repositories: searched, below a folder, sorted',
    query: z.strictObject({
      ...page,
      search,
      prefix: z.string().max(255).optional().describe('only names below this folder'),
      sort: z.enum(['name', 'pushed']).optional(),
      folders: flag.optional().describe('show what is below the next slash as one folder'),
      wait,
    }),
    answer: types.repositoryPageSchema,
    run: (browse, { wait, ...query }) => browse.repositories({ ...query, waitMs: wait }),
  }),
  operation({
    path: '/repository',
    id: 'getRepository',
    summary: 'One repository, with what its newest version says of it',
    query: z.strictObject({ repository }),
    answer: types.repositorySchema,
    run: (browse, query) => browse.repository(query.repository),
  }),
  operation({
    path: '/tags',
    id: 'listTags',
    summary: 'Tags of a repository, each with digest, size, time, platforms and whether it is signed',
    query: z.strictObject({ repository, ...page, search, sort: z.enum(['version', 'pushed', 'name']).optional() }),
    answer: types.tagPageSchema,
    run: (browse, { repository, ...query }) => browse.tags(repository, query),
  }),
  operation({
    path: '/tags/history',
    id: 'getTagHistory',
    summary: 'Where a tag pointed, the newest first',
    query: z.strictObject({ repository, tag: z.string() }),
    answer: types.tagHistorySchema,
    run: (browse, query) => browse.tagHistory(query.repository, query.tag),
  }),
  operation({
    path: '/untagged',
    id: 'listUntagged',
    summary: 'Manifests that no tag points at',
    query: z.strictObject({ repository, ...page }),
    answer: types.untaggedPageSchema,
    run: (browse, { repository, ...query }) => browse.untagged(repository, query),
  }),
  operation({
    path: '/image',
    id: 'getImage',
    summary: 'A manifest of any kind: layers, history, config, platforms',
    query: z.strictObject(image),
    answer: types.imageSchema,
    run: (browse, query) => browse.image(query.repository, query.reference),
  }),
  operation({
    path: '/document',
    id: 'getDocument',
    summary: 'The text of a manifest or of its config',
    query: z.strictObject({ ...image, part: z.enum(['manifest', 'config']).optional() }),
    answer: types.documentSchema,
    run: (browse, query) => browse.document(query.repository, query.reference, query.part),
  }),
  operation({
    path: '/sharing',
    id: 'listSharing',
    summary: 'Images that share a layer',
    query: z.strictObject({ repository, digest: z.string().describe('digest of the layer'), ...page, wait }),
    answer: types.sharingPageSchema,
    run: (browse, { wait, ...query }) => browse.sharing({ ...query, waitMs: wait }),
  }),
  operation({
    path: '/kernel',
    id: 'getKernel',
    summary: 'The Linux in a unikernel',
    query: z.strictObject(image),
    answer: made(types.kernelSchema),
    run: (browse, query) => browse.kernel(query.repository, query.reference),
  }),
  operation({
    path: '/kconfig',
    id: 'listKconfig',
    summary: 'Options of the Linux in a unikernel',
    query: z.strictObject({ ...image, ...page, search, enabled: flag.optional().describe('only options that are on') }),
    answer: made(types.kconfigPageSchema),
    run: (browse, { repository, reference, ...query }) => browse.kconfig(repository, reference, query),
  }),
  operation({
    path: '/root',
    id: 'getRoot',
    summary: 'What all layers of an image come to, with the space that is wasted',
    query: z.strictObject(image),
    answer: made(types.rootSummarySchema),
    run: (browse, query) => browse.root(query.repository, query.reference),
  }),
  operation({
    path: '/files',
    id: 'listFiles',
    summary: 'A folder of a layer or of the whole file system, or what a search finds below it',
    query: z.strictObject({
      ...image,
      ...page,
      layer,
      path: path.optional(),
      search,
      sort: z.enum(['name', 'size']).optional(),
      changes: flag.optional().describe('only what the layer replaces or removes'),
    }),
    answer: made(types.filePageSchema),
    run: (browse, { repository, reference, layer, ...query }) => browse.files({ repository, reference, layer }, query),
  }),
  operation({
    path: '/file',
    id: 'getFile',
    summary: 'The start of one file, as text or hexadecimal',
    query: z.strictObject({ ...image, layer, path }),
    answer: made(types.fileViewSchema),
    run: (browse, { path, ...place }) => browse.file(place, path),
  }),
  operation({
    path: '/file/content',
    id: 'downloadFile',
    summary: 'The bytes of one file',
    query: z.strictObject({ ...image, layer, path }),
    run: (browse, { path, ...place }): Promise<types.Made<OpenFile>> => browse.openFile(place, path),
  }),
  operation({
    path: '/referrers',
    id: 'getReferrers',
    summary: 'What refers to a manifest, as a tree: signatures, SBOMs, provenance',
    query: z.strictObject(image),
    answer: types.referrerTreeSchema,
    run: (browse, query) => browse.referrers(query.repository, query.reference),
  }),
  operation({
    path: '/packages',
    id: 'listPackages',
    summary: 'What the SBOM of an image lists; null where there is none',
    query: z.strictObject({ ...image, ...page, search }),
    answer: types.packagePageSchema.nullable(),
    run: async (browse, { repository, reference, ...query }) =>
      (await browse.packages(repository, reference, query)) ?? null,
  }),
  operation({
    path: '/artifact',
    id: 'getArtifact',
    summary: 'The content of an artifact, made readable',
    query: z.strictObject({ ...image, layer }),
    answer: types.artifactContentSchema,
    run: (browse, query) => browse.artifact(query.repository, query.reference, query.layer),
  }),
  operation({
    path: '/compare',
    id: 'compareImages',
    summary: 'How two images differ: layers, config, kernel options, packages, sizes',
    query: z.strictObject(pair),
    answer: types.comparisonSchema,
    run: (browse, query) => browse.compare(both(query)),
  }),
  operation({
    path: '/compare/files',
    id: 'compareFiles',
    summary: 'Files that differ between two images',
    query: z.strictObject({ ...pair, ...page, search, change: z.enum(['added', 'removed', 'changed']).optional() }),
    answer: made(types.comparedFilePageSchema),
    run: (browse, { page, size, search, change, ...query }) =>
      browse.compareFiles({ ...both(query), page, size, search, change }),
  }),
  operation({
    path: '/compare/file',
    id: 'compareFile',
    summary: 'How the text of one file differs between two images',
    query: z.strictObject({ ...pair, path }),
    answer: made(types.fileDiffSchema),
    run: (browse, { path, ...query }) => browse.compareFile(both(query), path),
  }),
  operation({
    path: '/space',
    id: 'getSpace',
    summary: 'Where the space goes, by repository and as a whole',
    query: z.strictObject({
      ...page,
      days,
      sort: z.enum(['name', 'own', 'total', 'old']).optional(),
    }),
    answer: made(types.spacePageSchema),
    run: (browse, query) => browse.space(query),
  }),
  operation({
    path: '/space/repository',
    id: 'getRepositorySpace',
    summary: "Where a repository's space goes, by tag",
    query: z.strictObject({ repository, days }),
    answer: made(types.tagSpacesSchema),
    run: (browse, { repository, ...query }) => browse.spaceOf(repository, query),
  }),
];
