// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import type { Changes } from '../../service/changes.ts';
import type { Service } from '../../service/index.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import type { ObjectStore } from '../../storage/contract.ts';
import { atOnce } from '../at-once.ts';
import { orMissing } from '../content.ts';
import { readContent } from '../image/facts.ts';
import { manifestDigests } from './contents.ts';
import { Kept } from './kept.ts';

/** What a manifest names. */
export interface Node {
  /** Bytes of the document. */
  size: number;
  pushed: number;
  /** Blobs and manifests that it names, each once, with the sizes that it says. */
  names: ReadonlyMap<Digest, number>;
  /** It is an index. */
  index: boolean;
  subject: Digest | undefined;
}

/** All manifests of a repository, and what they name. */
export interface Graph {
  manifests: ReadonlyMap<Digest, Node>;
  /** Whether the repository has more manifests than are read. */
  more: boolean;
}

export type Graphs = Kept<Graph>;

/** More manifests of one repository are not read. */
const MOST_MANIFESTS = 20_000;
const MOST_KEPT = 300_000;
/** Gentle, because pulls come first. */
const WIDTH = 16;

export function keepGraphs(store: ObjectStore, service: Service, changes: Changes, surroundings: Surroundings): Graphs {
  return new Kept(changes, surroundings, {
    read: (repository) => readGraph(store, service, repository),
    weigh: ({ manifests }) => [...manifests.values()].reduce((sum, { names }) => sum + names.size + 3, 0),
    most: MOST_KEPT,
  });
}

export async function readGraph(store: ObjectStore, service: Service, repository: string): Promise<Graph> {
  const digests: Digest[] = [];
  let more = false;
  for await (const digest of manifestDigests(store, repository)) {
    more = digests.length >= MOST_MANIFESTS;
    if (more) break;
    digests.push(digest);
  }
  const nodes = await atOnce(digests, WIDTH, (digest) => readNode(service, repository, digest));
  const manifests = new Map<Digest, Node>();
  for (const [at, digest] of digests.entries()) {
    const node = nodes[at];
    if (node !== undefined) manifests.set(digest, node);
  }
  return { manifests, more };
}

async function readNode(service: Service, repository: string, digest: Digest): Promise<Node | undefined> {
  const manifest = await orMissing(service.manifests.get(repository, { digest }));
  if (manifest === undefined) return undefined;
  const content = readContent(manifest);
  return {
    size: manifest.size,
    pushed: manifest.version,
    names: new Map(content?.needs.map(({ digest, size }) => [digest, size])),
    index: content?.document.kind === 'index',
    subject: content?.subject,
  };
}
