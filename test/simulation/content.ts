// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, type Digest, digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import type { Random } from './random.ts';

/** The little world in which everything collides: two repositories, five blobs, five manifests, two tags. */
export const REPOSITORIES = ['a', 'a/b'] as const;
export const TAGS = ['latest', 'v1'] as const;

export interface SimulatedManifest {
  name: string;
  bytes: Buffer;
  digest: Digest;
  blobs: Digest[];
  children: SimulatedManifest[];
  subject: Digest | undefined;
}

const texts = { config: '{}', one: 'the first layer', two: 'the second layer', three: 'the third layer' };
/** By digest; one of them by sha512. */
export const BLOBS = new Map<Digest, string>(
  Object.entries(texts).map(([name, text]) => [digestOf(text, name === 'three' ? 'sha512' : 'sha256'), text]),
);

const blob = (text: string, mediaType: string): Descriptor => {
  const digest = [...BLOBS].find(([, known]) => known === text)?.[0];
  if (digest === undefined) throw new Error(`no such blob: ${text}`);
  return { mediaType, digest, size: text.length };
};

function manifest(name: string, fields: object, children: SimulatedManifest[], subject?: SimulatedManifest) {
  const refers = subject === undefined ? {} : { subject: descriptorOf(subject) };
  const document = { schemaVersion: 2, ...fields, ...refers };
  const bytes = Buffer.from(JSON.stringify(document));
  const { config, layers = [] } = document as { config?: Descriptor; layers?: Descriptor[] };
  const blobs = [...(config === undefined ? [] : [config]), ...layers].map(({ digest }) => digest as Digest);
  return { name, bytes, digest: digestOf(bytes), blobs: [...new Set(blobs)], children, subject: subject?.digest };
}

function image(name: string, layers: string[], subject?: SimulatedManifest): SimulatedManifest {
  const config = blob(texts.config, MEDIA_TYPE.empty);
  const descriptors = layers.map((text) => blob(text, MEDIA_TYPE.layer));
  return manifest(name, { mediaType: MEDIA_TYPE.manifest, config, layers: descriptors }, [], subject);
}

function descriptorOf({ digest, bytes }: SimulatedManifest): Descriptor {
  return { mediaType: MEDIA_TYPE.manifest, digest, size: bytes.length };
}

const first = image('first', [texts.one]);
const second = image('second', [texts.one, texts.two]);
const third = image('third', [texts.three]);
const signature = image('signature', [texts.two], first);
const children = [first, third];
const index = manifest('index', { mediaType: MEDIA_TYPE.index, manifests: children.map(descriptorOf) }, children);

export const MANIFESTS: readonly SimulatedManifest[] = [first, second, third, signature, index];

/** What the clients of a schedule have to do with. */
export interface World {
  repositories: readonly string[];
  manifests: readonly SimulatedManifest[];
  tags: readonly string[];
}

export const WORLD: World = { repositories: REPOSITORIES, manifests: MANIFESTS, tags: TAGS };

/** All of it, or a corner of it, in which everybody is in everybody's way. */
export function chooseWorld(random: Random, crowded: boolean): World {
  if (!crowded && random.chance(0.4)) return WORLD;
  const manifests = random.chance(crowded ? 0.8 : 0.5) ? [random.pick([first, second, third])] : [first, signature];
  const repositories = random.chance(0.7) ? [random.pick(REPOSITORIES)] : REPOSITORIES;
  return { repositories, manifests, tags: [random.pick(TAGS)] };
}
