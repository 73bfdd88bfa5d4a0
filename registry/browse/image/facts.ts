// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import {
  ANNOTATION,
  type Descriptor,
  type Digest,
  type Index,
  isAttestation,
  type Manifest,
  MEDIA_TYPE,
  type Platform,
} from '../../../image-format/index.ts';
import type { Service } from '../../service/index.ts';
import { type ManifestContent, readStoredManifest } from '../../service/manifest-content.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { atOnce } from '../at-once.ts';
import { orMissing, readBlob, sumOfSizes, timeOf } from '../content.ts';
import { type ManifestKind, MOST_PLATFORMS, type PlatformRow } from '../types/repository.ts';

/** What a row shows of a manifest, apart from what others say about it. */
export interface Facts {
  digest: Digest;
  /** When it was first pushed here, as its record says. */
  pushed: number;
  kind: ManifestKind;
  mediaType: string;
  artifactType: string | undefined;
  size: number | undefined;
  created: number | undefined;
  platforms: PlatformRow[];
  platformCount: number;
  profiles: string[];
  variant: string | undefined;
  subject: Digest | undefined;
}

/** A config is a page of JSON; what is larger is not read for a row. */
const MOST_CONFIG = 1024 * 1024;
const MOST_KEPT = 20_000;
const CHART = 'application/vnd.cncf.helm.config.v1+json';
/** Repositories and digests of manifests never change what they say, so their facts are kept. */
const WIDTH = 16;

/** Reads and keeps the facts about manifests. Whether a manifest is there is asked each time. */
export class AllFacts {
  readonly #service: Service;
  readonly #kept = new LRUCache<string, Facts>({ max: MOST_KEPT });

  constructor(service: Service) {
    this.#service = service;
  }

  /** @returns undefined where the repository holds no such manifest */
  async of(repository: string, reference: { tag: string } | { digest: Digest }): Promise<Facts | undefined> {
    const manifest = await orMissing(this.#service.manifests.get(repository, reference));
    return manifest === undefined ? undefined : this.ofManifest(repository, manifest);
  }

  async ofManifest(repository: string, manifest: StoredManifest): Promise<Facts> {
    const key = `${repository}@${manifest.digest}@${manifest.version}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const { facts, whole } = await this.#read(repository, manifest);
    // A child or config that is missing may come later.
    if (whole) this.#kept.set(key, facts);
    return facts;
  }

  async #read(repository: string, manifest: StoredManifest): Promise<{ facts: Facts; whole: boolean }> {
    const content = readContent(manifest);
    const base = {
      digest: manifest.digest,
      pushed: manifest.version,
      mediaType: manifest.mediaType,
      subject: content?.subject,
    };
    if (content === undefined) return { facts: { ...NOTHING, ...base, kind: 'unknown' }, whole: true };
    const { document } = content;
    const own = { digest: manifest.digest, size: manifest.size };
    if (document.kind === 'index') return this.#index(repository, base, document.value, own);
    return this.#manifest(repository, base, document.value, own);
  }

  async #index(repository: string, base: Base, index: Index, own: Sized) {
    const listed = index.manifests.slice(0, MOST_PLATFORMS);
    const children = await atOnce(listed, WIDTH, (child) => this.#child(repository, child));
    const platforms = children.map(({ row }) => row);
    const images = platforms.filter(({ attestation }) => !attestation);
    const whole = listed.length === index.manifests.length && children.every(({ blobs }) => blobs.length > 0);
    const facts: Facts = {
      ...NOTHING,
      ...base,
      kind: 'index',
      artifactType: index.artifactType,
      size: whole ? sumOfSizes([own, ...children.flatMap(({ blobs }) => blobs)]) : undefined,
      created: timeOf(index.annotations?.[ANNOTATION.created]),
      platforms,
      platformCount: index.manifests.length,
      profiles: [...new Set(images.flatMap(({ profile }) => profile ?? []))],
      variant: onlyOne(images.flatMap(({ variant }) => variant ?? [])),
    };
    return { facts, whole: children.every(({ blobs }) => blobs.length > 0) };
  }

  async #child(repository: string, child: Descriptor): Promise<{ row: PlatformRow; blobs: Sized[] }> {
    const digest = child.digest;
    const manifest = await orMissing(this.#service.manifests.get(repository, { digest }));
    const content = manifest === undefined ? undefined : readContent(manifest);
    const inner = content?.document.kind === 'manifest' ? content.document.value : undefined;
    const blobs = inner === undefined ? [] : [child, inner.config, ...inner.layers];
    const platform = platformText(child.platform);
    const profile = child.annotations?.[ANNOTATION.profile] ?? inner?.annotations?.[ANNOTATION.profile];
    const variant = inner?.annotations?.[ANNOTATION.kernelVariant];
    const row: PlatformRow = {
      digest,
      ...(platform === undefined ? {} : { platform }),
      ...(profile === undefined ? {} : { profile }),
      ...(variant === undefined ? {} : { variant }),
      ...(inner === undefined ? {} : { size: sumOfSizes(blobs) }),
      attestation: isAttestation(child),
    };
    return { row, blobs };
  }

  async #manifest(repository: string, base: Base, manifest: Manifest, own: Sized) {
    const kind = kindOf(manifest);
    const image = kind === 'image' || kind === 'kernel';
    const config = image ? await this.#config(repository, manifest.config.digest) : undefined;
    const { annotations } = manifest;
    const size = sumOfSizes([own, manifest.config, ...manifest.layers]);
    const platform = platformText(config);
    const [profile, variant] = [annotations?.[ANNOTATION.profile], annotations?.[ANNOTATION.kernelVariant]];
    const row: PlatformRow = {
      digest: base.digest,
      ...(platform === undefined ? {} : { platform }),
      ...(profile === undefined ? {} : { profile }),
      ...(variant === undefined ? {} : { variant }),
      size,
      attestation: false,
    };
    const facts: Facts = {
      ...NOTHING,
      ...base,
      kind,
      artifactType: manifest.artifactType ?? (image ? undefined : manifest.config.mediaType),
      size,
      created: timeOf(annotations?.[ANNOTATION.created]) ?? timeOf(config?.created),
      platforms: image ? [row] : [],
      platformCount: image ? 1 : 0,
      profiles: profile === undefined ? [] : [profile],
      variant,
    };
    return { facts, whole: !image || config !== undefined };
  }

  /** What a row needs of a config; one that does not read as JSON says nothing. */
  async #config(repository: string, digest: Digest): Promise<(Partial<Platform> & { created?: unknown }) | undefined> {
    const bytes = await readBlob(this.#service, repository, digest, MOST_CONFIG);
    if (bytes === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(bytes.toString('utf8'));
      return typeof value === 'object' && value !== null ? value : {};
    } catch {
      return {};
    }
  }
}

type Sized = Pick<Descriptor, 'digest' | 'size'>;
type Base = Pick<Facts, 'digest' | 'pushed' | 'mediaType' | 'subject'>;

const NOTHING = {
  artifactType: undefined,
  size: undefined,
  created: undefined,
  platforms: [],
  platformCount: 0,
  profiles: [],
  variant: undefined,
};

/** A manifest of an earlier version of the registry may read as nothing. */
export function readContent(manifest: StoredManifest): ManifestContent | undefined {
  try {
    return readStoredManifest(manifest.bytes, manifest.mediaType);
  } catch {
    return undefined;
  }
}

export function kindOf(manifest: Manifest): ManifestKind {
  const { mediaType } = manifest.config;
  if (mediaType === CHART) return 'chart';
  if (mediaType !== MEDIA_TYPE.config && mediaType !== MEDIA_TYPE.dockerConfig) return 'artifact';
  if (manifest.artifactType !== undefined && manifest.artifactType !== MEDIA_TYPE.config) return 'artifact';
  const roles = manifest.layers.map(({ annotations }) => annotations?.[ANNOTATION.layerRole]);
  return roles.length === 1 && roles[0] === 'kernel' ? 'kernel' : 'image';
}

/** `linux/arm64/v8` */
export function platformText(platform: Partial<Platform> | undefined): string | undefined {
  if (platform === undefined) return undefined;
  const { os, architecture, variant } = platform;
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') return undefined;
  return [os, architecture, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])].join('/');
}

function onlyOne(values: readonly string[]): string | undefined {
  const different = [...new Set(values)];
  return different.length === 1 ? different[0] : undefined;
}
