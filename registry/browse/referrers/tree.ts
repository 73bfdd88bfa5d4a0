// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION, type Digest, isAttestation, type Manifest } from '../../../image-format/index.ts';
import type { Service } from '../../service/index.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { orMissing, readBlob, timeOf } from '../content.ts';
import { given } from '../given.ts';
import { readContent } from '../image/facts.ts';
import type { AllContents } from '../repositories/contents.ts';
import type { Referrer, ReferrerTree } from '../types/referrers.ts';
import { referrerKind } from './kind.ts';
import { signerOf } from './signer.ts';

/** Referrers of one tree, and how deep it goes. */
const MOST = 300;
const DEEPEST = 8;
/** Content that is read to see who signed. */
const MOST_SIGNATURE = 256 * 1024;
/** Where tools write an attestation's kind: cosign on its layer, sigstore's bundles on the manifest, BuildKit on the layer. */
const PREDICATES = ['predicateType', 'dev.sigstore.bundle.predicateType', 'in-toto.io/predicate-type'];

type Found = { digest: Digest; foundBy: Referrer['foundBy'] };

/** What refers to a manifest, and to that in turn. */
export class ReferrerTrees {
  readonly #service: Service;
  readonly #contents: AllContents;

  constructor(service: Service, contents: AllContents) {
    this.#service = service;
    this.#contents = contents;
  }

  async of(repository: string, subject: StoredManifest): Promise<ReferrerTree> {
    const walk = { repository, left: MOST, more: false, seen: new Set<Digest>([subject.digest]) };
    const referrers = await this.#below(walk, subject.digest, 0, listedAttestations(subject));
    return { digest: subject.digest, referrers, count: MOST - walk.left, more: walk.more };
  }

  async #below(walk: Walk, subject: Digest, depth: number, also: readonly Digest[] = []): Promise<Referrer[]> {
    if (depth >= DEEPEST) {
      walk.more ||= (await this.#find(walk, subject)).length > 0;
      return [];
    }
    const listed = also.map((digest) => ({ digest, foundBy: 'index' as const }));
    const referrers: Referrer[] = [];
    for (const found of [...(await this.#find(walk, subject)), ...listed]) {
      if (walk.left <= 0) {
        walk.more = true;
        break;
      }
      const referrer = await this.#read(walk, found);
      if (referrer === undefined) continue;
      walk.left -= 1;
      referrers.push(referrer);
      if (walk.seen.has(found.digest)) {
        referrer.repeated = true;
        continue;
      }
      walk.seen.add(found.digest);
      referrer.referrers = await this.#below(walk, found.digest, depth + 1);
    }
    return referrers;
  }

  /** By the referrers API first, then by tags; what both find is shown once. */
  async #find(walk: Walk, subject: Digest): Promise<Found[]> {
    const { repository } = walk;
    const page = await this.#service.referrers.list(repository, subject, { limit: MOST });
    walk.more ||= page.next !== undefined;
    const found = new Map<Digest, Found>();
    for (const { digest } of page.descriptors) found.set(digest, { digest, foundBy: 'referrer' });
    const contents = await this.#contents.of(repository);
    for (const { tag, kind } of contents.attached.get(subject) ?? []) {
      const manifest = await orMissing(this.#service.manifests.get(repository, { tag }));
      if (manifest === undefined) continue;
      const digests = kind === 'list' ? childrenOf(manifest) : [manifest.digest];
      for (const digest of digests) if (!found.has(digest)) found.set(digest, { digest, foundBy: 'tag' });
    }
    return [...found.values()];
  }

  async #read({ repository }: Walk, { digest, foundBy }: Found): Promise<Referrer | undefined> {
    const stored = await orMissing(this.#service.manifests.get(repository, { digest }));
    if (stored === undefined) return undefined;
    const document = readContent(stored)?.document;
    const manifest = document?.kind === 'manifest' ? document.value : undefined;
    const annotations = document?.value.annotations ?? {};
    const layers = manifest?.layers ?? [];
    const predicateType = predicateOf([annotations, ...layers.map((layer) => layer.annotations ?? {})]);
    const artifactType = document?.value.artifactType ?? manifest?.config.mediaType;
    const types = [artifactType, ...layers.map(({ mediaType }) => mediaType)];
    return {
      digest,
      kind: referrerKind(types, predicateType),
      mediaType: stored.mediaType,
      ...given('artifactType', artifactType),
      size: stored.size + layers.reduce((sum, { size }) => sum + size, 0),
      ...given('created', timeOf(annotations[ANNOTATION.created])),
      annotations,
      ...given('predicateType', predicateType),
      foundBy,
      ...given('signer', await this.#signer(repository, artifactType, manifest)),
      layers: layers.slice(0, 100).map(({ digest, mediaType, size }) => ({ digest, mediaType, size })),
      referrers: [],
      repeated: false,
    };
  }

  async #signer(repository: string, artifactType: string | undefined, manifest: Manifest | undefined) {
    const [layer] = manifest?.layers ?? [];
    if (layer === undefined || layer.size > MOST_SIGNATURE) return undefined;
    const known = signerOf(artifactType, layer, undefined);
    // cosign's old form says all in annotations.
    if (known === undefined || known.format === 'cosign') return known;
    return signerOf(artifactType, layer, await readBlob(this.#service, repository, layer.digest, MOST_SIGNATURE));
  }
}

interface Walk {
  repository: string;
  left: number;
  more: boolean;
  seen: Set<Digest>;
}

function childrenOf(manifest: StoredManifest): Digest[] {
  const document = readContent(manifest)?.document;
  return document?.kind === 'index' ? document.value.manifests.slice(0, MOST).map(({ digest }) => digest) : [];
}

/** BuildKit lists attestations in the index, beside the images that they are about. */
function listedAttestations(manifest: StoredManifest): Digest[] {
  const document = readContent(manifest)?.document;
  if (document?.kind !== 'index') return [];
  return document.value.manifests.filter(isAttestation).map(({ digest }) => digest);
}

function predicateOf(all: readonly Record<string, string>[]): string | undefined {
  for (const annotations of all) {
    for (const name of PREDICATES) if (annotations[name] !== undefined) return annotations[name];
  }
  return undefined;
}
