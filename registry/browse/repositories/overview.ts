// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { Service } from '../../service/index.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { orMissing, readBlob } from '../content.ts';
import { given } from '../given.ts';
import { kindOf, readContent } from '../image/facts.ts';
import { readConfig } from '../image/read-config.ts';
import type { Readme, Repository } from '../types/repository.ts';
import type { Contents } from './contents.ts';
import { compareTags } from './version-order.ts';

/** An annotation that holds a README as Markdown. */
const README = 'vnd.uk.readme';
const MOST_README = 128 * 1024;
const LOOKED_AT = 20;

/** What a repository says of itself: the words of its newest version. */
export async function overview(
  service: Service,
  repository: string,
  contents: Contents,
  untagged: number | undefined,
): Promise<Repository> {
  const { versions, state, pushed } = contents;
  const newest = newestOf(versions);
  const manifest =
    newest === undefined ? undefined : await orMissing(service.manifests.get(repository, { tag: newest }));
  const said: Record<string, string> = manifest === undefined ? {} : await wordsOf(service, repository, manifest);
  const word = (name: string) => said[`org.opencontainers.image.${name}`];
  return {
    name: repository,
    state,
    tags: versions.length,
    ...given('untagged', untagged),
    ...given('pushed', pushed),
    ...given('newest', newest),
    ...given('title', word('title')),
    ...given('description', word('description')),
    ...given('licenses', word('licenses')),
    ...given('source', word('source')),
    ...given('url', word('url')),
    ...given('readme', manifest && (await readmeOf(service, repository, contents, manifest, said[README]))),
  };
}

function newestOf(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>(
    (first, tag) => (first === undefined || compareTags(tag, first) < 0 ? tag : first),
    undefined,
  );
}

/** Annotations; where there are none, the labels of the config. Of an index, those of its first image beside its own. */
async function wordsOf(
  service: Service,
  repository: string,
  manifest: StoredManifest,
  deep = true,
): Promise<Record<string, string>> {
  const document = readContent(manifest)?.document;
  if (document === undefined) return {};
  if (document.kind === 'index') {
    const first = document.value.manifests[0];
    const child = deep && first && (await orMissing(service.manifests.get(repository, { digest: first.digest })));
    const inner = child ? await wordsOf(service, repository, child, false) : {};
    return { ...inner, ...document.value.annotations };
  }
  const { image, chart } = await readConfig(service, repository, document.value, kindOf(document.value));
  const description = typeof chart?.description === 'string' ? { [DESCRIPTION]: chart.description } : {};
  return { ...description, ...image?.config?.Labels, ...document.value.annotations };
}

const DESCRIPTION = 'org.opencontainers.image.description';

async function readmeOf(
  service: Service,
  repository: string,
  { referrers }: Contents,
  manifest: StoredManifest,
  annotation: string | undefined,
): Promise<Readme | undefined> {
  if (annotation !== undefined) return { ...cut(annotation), source: 'annotation', digest: manifest.digest };
  for (const digest of (referrers.get(manifest.digest) ?? []).slice(0, LOOKED_AT)) {
    const markdown = await markdownIn(service, repository, digest);
    if (markdown !== undefined) return { ...cut(markdown), source: 'referrer', digest };
  }
  return undefined;
}

async function markdownIn(service: Service, repository: string, digest: Digest): Promise<string | undefined> {
  const stored = await orMissing(service.manifests.get(repository, { digest }));
  const document = stored === undefined ? undefined : readContent(stored)?.document;
  const layer =
    document?.kind === 'manifest'
      ? document.value.layers.find(({ mediaType }) => mediaType.startsWith('text/markdown'))
      : undefined;
  if (layer === undefined) return undefined;
  return (await readBlob(service, repository, layer.digest, 4 * MOST_README))?.toString('utf8');
}

function cut(markdown: string): Pick<Readme, 'markdown' | 'cut'> {
  return { markdown: markdown.slice(0, MOST_README), cut: markdown.length > MOST_README };
}
