// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { Digest } from '../../../image-format/index.ts';
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { readBlob } from '../content.ts';
import type { FilesThread } from '../files/thread.ts';
import { readContent } from '../image/facts.ts';
import type { Package, Referrer } from '../types/referrers.ts';
import { referrerKind } from './kind.ts';
import type { PackageList } from './read-packages.ts';
import type { ReferrerTrees } from './tree.ts';

const MOST_SBOM = 64 * 1024 * 1024;
const MOST_KEPT = 300_000;

export interface FoundPackages extends PackageList {
  /** The SBOM's manifest. */
  digest: Digest;
  packages: Package[];
}

/** What SBOMs list: read in the thread for layers, and kept. */
export class Packages {
  readonly #service: Service;
  readonly #trees: ReferrerTrees;
  readonly #thread: FilesThread;
  readonly #kept = new LRUCache<string, PackageList>({
    maxSize: MOST_KEPT,
    sizeCalculation: ({ packages }) => packages.length + 1,
  });

  constructor(service: Service, trees: ReferrerTrees, thread: FilesThread) {
    this.#service = service;
    this.#trees = trees;
    this.#thread = thread;
  }

  /** Of the SBOM that is attached to a manifest, or that the manifest is. */
  async of(repository: string, manifest: StoredManifest): Promise<FoundPackages | undefined> {
    const itself = layerOfSbom(manifest);
    if (itself !== undefined) return this.#read(repository, manifest.digest, itself);
    const { referrers } = await this.#trees.of(repository, manifest);
    for (const { digest, layers } of sbomsIn(referrers)) {
      const [layer] = layers;
      const found = layer === undefined ? undefined : await this.#read(repository, digest, layer.digest);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #read(repository: string, digest: Digest, layer: Digest): Promise<FoundPackages | undefined> {
    const key = `${repository}@${layer}`;
    const list = this.#kept.get(key) ?? (await this.#parsed(repository, layer));
    if (list === undefined) return undefined;
    this.#kept.set(key, list);
    return { ...list, digest };
  }

  async #parsed(repository: string, layer: Digest): Promise<PackageList | undefined> {
    const bytes = await readBlob(this.#service, repository, layer, MOST_SBOM);
    if (bytes === undefined) return undefined;
    try {
      return await this.#thread.packages(new Uint8Array(bytes));
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'CONTENT_UNREADABLE') return undefined;
      throw error;
    }
  }
}

function layerOfSbom(manifest: StoredManifest): Digest | undefined {
  const document = readContent(manifest)?.document;
  if (document?.kind !== 'manifest') return undefined;
  const { artifactType, config, layers } = document.value;
  const types = [artifactType ?? config.mediaType, ...layers.map(({ mediaType }) => mediaType)];
  return referrerKind(types, undefined) === 'sbom' ? layers[0]?.digest : undefined;
}

function sbomsIn(referrers: readonly Referrer[]): Referrer[] {
  return referrers.filter(({ kind }) => kind === 'sbom');
}
