// SPDX-License-Identifier: Apache-2.0
import {
  ANNOTATION,
  type Descriptor,
  type Digest,
  LABEL,
  layerCompression,
  type Manifest,
} from '../../../image-format/index.ts';
import type { Service } from '../../service/index.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { atOnce, PAGE_WIDTH } from '../at-once.ts';
import { blobLink, manifestLink } from '../content.ts';
import { given } from '../given.ts';
import type { HistoryStep, Image, Layer, LinkedDescriptor } from '../types/image.ts';
import { MOST_COUNTED_LAYERS, MOST_LINKED_LAYERS } from '../types/image.ts';
import type { AllFacts } from './facts.ts';
import { platformText, readContent } from './facts.ts';
import { type ReadConfig, readConfig } from './read-config.ts';
import { historyOf, runConfig } from './run-config.ts';
import type { Sharing } from './sharing.ts';
import { whyUnreadable } from './unreadable.ts';

/** What the layers' indexes say, as far as they have been made. */
export type UnpackedSize = (digest: Digest) => Promise<number | undefined>;

/** Everything that one manifest says, with what the registry knows about it. */
export class ImageView {
  readonly #service: Service;
  readonly #facts: AllFacts;
  readonly #sharing: Sharing;
  readonly #unpacked: UnpackedSize;

  constructor(service: Service, facts: AllFacts, sharing: Sharing, unpacked: UnpackedSize) {
    this.#service = service;
    this.#facts = facts;
    this.#sharing = sharing;
    this.#unpacked = unpacked;
  }

  /** @param options `counted`: say of the layers who shares them; default true */
  async of(
    repository: string,
    stored: StoredManifest,
    said: { tags: string[]; partOf: Digest[]; pushed: number | undefined; signed: boolean; referrers: number },
    { counted = true }: { counted?: boolean } = {},
  ): Promise<Image> {
    const facts = await this.#facts.ofManifest(repository, stored);
    const content = readContent(stored);
    const document = content?.document;
    const manifest = document?.kind === 'manifest' ? document.value : undefined;
    const warnings = content === undefined ? ['the document cannot be read as a manifest'] : [];
    const config =
      manifest === undefined ? NO_CONFIG : await readConfig(this.#service, repository, manifest, facts.kind);
    warnings.push(...config.warnings);
    const layers =
      manifest === undefined ? [] : await this.#layers(repository, stored.digest, manifest, config, warnings, counted);
    const history = historyOf(config.image, layers.length, warnings);
    nameMakers(layers, history);
    const subject = document?.value.subject;
    const [only] = facts.platforms;
    const single = facts.kind === 'index' ? undefined : only;
    return {
      repository,
      digest: stored.digest,
      kind: facts.kind,
      mediaType: stored.mediaType,
      ...given('artifactType', facts.artifactType),
      manifestSize: stored.size,
      ...given('size', facts.size),
      ...given('created', facts.created),
      annotations: document?.value.annotations ?? {},
      ...(subject === undefined ? {} : { subject: await this.#link(repository, subject, 'manifest') }),
      platforms: facts.kind === 'index' ? facts.platforms : [],
      platformCount: facts.platformCount,
      ...given('platform', single?.platform ?? platformText(config.image)),
      ...given('profile', single?.profile),
      ...given('variant', facts.variant),
      ...(manifest === undefined ? {} : { config: await this.#link(repository, manifest.config, 'blob') }),
      ...(config.image === undefined ? {} : { run: runConfig(config.image) }),
      layers,
      history,
      ...given('chart', config.chart),
      warnings,
      link: manifestLink(repository, stored.digest),
      tags: said.tags,
      partOf: said.partOf,
      ...given('pushed', said.pushed),
      signed: said.signed,
      referrers: said.referrers,
    };
  }

  async #layers(
    repository: string,
    image: Digest,
    manifest: Manifest,
    { image: config }: ReadConfig,
    warnings: string[],
    isCounted: boolean,
  ): Promise<Layer[]> {
    const diffIds = config?.rootfs.diff_ids ?? [];
    if (config !== undefined && diffIds.length !== manifest.layers.length) {
      warnings.push(`the config names ${diffIds.length} layers, the manifest has ${manifest.layers.length}`);
    }
    const roles = (config?.config?.Labels?.[LABEL.layerRoles] ?? '').split(',');
    const counted = new Map<Digest, Promise<Layer['sharedBy']>>();
    const places = manifest.layers.map((descriptor, number) => ({ descriptor, number }));
    return atOnce(places, PAGE_WIDTH, async ({ descriptor, number }): Promise<Layer> => {
      const { digest } = descriptor;
      if (isCounted && number < MOST_COUNTED_LAYERS && !counted.has(digest)) {
        counted.set(digest, this.#sharing.count(repository, image, digest));
      }
      const isLooked = number < MOST_LINKED_LAYERS;
      const linked = isLooked ? await this.#link(repository, descriptor, 'blob', warnings) : plain(descriptor);
      return {
        number,
        ...linked,
        ...given('role', descriptor.annotations?.[ANNOTATION.layerRole] ?? (roles[number] || undefined)),
        ...given('compression', layerCompression(descriptor.mediaType)),
        ...given('unreadable', whyUnreadable(descriptor.mediaType, !isLooked || linked.link !== undefined)),
        ...given('diffId', diffIds[number]),
        ...given('unpacked', number < MOST_COUNTED_LAYERS ? await this.#unpacked(digest) : undefined),
        ...given('sharedBy', await counted.get(digest)),
      };
    });
  }

  async #link(
    repository: string,
    descriptor: Descriptor,
    kind: 'blob' | 'manifest',
    warnings: string[] = [],
  ): Promise<LinkedDescriptor> {
    const link =
      kind === 'blob'
        ? await this.#blob(repository, descriptor, warnings)
        : manifestLink(repository, descriptor.digest);
    return { ...plain(descriptor), ...given('link', link) };
  }

  async #blob(repository: string, { digest, size }: Descriptor, warnings: string[]): Promise<string | undefined> {
    const blob = await this.#service.blobs.find(repository, digest);
    if (blob !== undefined && blob.size !== size) {
      warnings.push(`the manifest says that ${digest} has ${size} bytes; it has ${blob.size}`);
    }
    return blob === undefined ? undefined : blobLink(repository, digest);
  }
}

function plain({ mediaType, digest, size, artifactType, annotations }: Descriptor): LinkedDescriptor {
  return {
    mediaType,
    digest,
    size,
    ...given('artifactType', artifactType),
    ...given('annotations', annotations),
  };
}

const NO_CONFIG: ReadConfig = { image: undefined, chart: undefined, warnings: [] };

/** Says at each layer which command made it. */
function nameMakers(layers: readonly Layer[], history: readonly HistoryStep[]): void {
  for (const { layer, createdBy } of history) {
    const made = layer === undefined ? undefined : layers[layer];
    if (made !== undefined && createdBy !== undefined) made.createdBy = createdBy;
  }
}
