// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { Descriptor } from '../../descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../digest.ts';
import { ImageError } from '../../errors.ts';
import { childrenOf } from '../../layout/reach.ts';
import type { ContentStore } from '../../layout/store.ts';
import { type Index, parseForeignManifest } from '../../manifest.ts';
import { MEDIA_TYPE } from '../../media-types.ts';
import type { PullSource } from '../remote.ts';
import type { TransferOptions } from '../transfer.ts';
import type { Line } from './line.ts';
import { pullBlob } from './pull-blob.ts';

/** Nobody signs one image more often; a list without end is somebody's trick. */
const MOST = 64;
/** No honest signature, certificate or attestation is larger. */
const LARGEST = 8 * 1024 * 1024;

/** What cosign and notation make, and the bundles of sigstore. */
const SIGNATURE = /^application\/vnd\.(?:dev\.cosign\.|cncf\.notary\.signature$|dev\.sigstore\.bundle)/;

/**
 * Fetches the signatures of a manifest and attaches them to it in the store: those that the registry's referrers list
 * has, else those of the fall-back tag, and cosign's own tag. They are kept as they are; nothing is decided by them here.
 *
 * @returns how many there are
 * @throws ImageError as `PullSource` and `ContentStore` do
 */
export async function pullSignatures(
  subject: Digest,
  to: { repository: string; remote: PullSource; store: ContentStore; line: Line },
  options: TransferOptions,
): Promise<number> {
  const tag = `${digestAlgorithm(subject)}-${digestHex(subject)}`;
  const listed = await referrers(subject, tag, to, options.signal);
  const found = listed.filter(({ artifactType }) => SIGNATURE.test(artifactType ?? ''));
  const older = await optional(() => to.remote.fetchManifest(to.repository, `${tag}.sig`, abort(options.signal)));
  if (older !== undefined) found.push(older.descriptor);
  for (const signature of found.slice(0, MOST)) await pullSignature(subject, signature, to, options);
  return found.length;
}

async function referrers(
  subject: Digest,
  tag: string,
  { repository, remote }: { repository: string; remote: PullSource },
  signal: AbortSignal | undefined,
): Promise<(Descriptor & { artifactType?: string | undefined })[]> {
  const list = await optional(() => remote.fetchReferrers(repository, subject, abort(signal)));
  // distribution-spec, "Unavailable Referrers API"
  const bytes = list ?? (await optional(() => remote.fetchManifest(repository, tag, abort(signal))))?.bytes;
  if (bytes === undefined) return [];
  const { kind, value } = parseForeignManifest(bytes, MEDIA_TYPE.index);
  return kind === 'index' ? (value as Index).manifests : [];
}

async function pullSignature(
  subject: Digest,
  signature: Descriptor,
  to: { repository: string; remote: PullSource; store: ContentStore; line: Line },
  options: TransferOptions,
): Promise<void> {
  const { descriptor, bytes } = await to.remote.fetchManifest(to.repository, signature.digest, abort(options.signal));
  for (const blob of childrenOf(bytes, descriptor.mediaType)) {
    if (blob.size > LARGEST) {
      throw new ImageError('MANIFEST_INVALID', `the signature ${descriptor.digest} has a part of ${blob.size} bytes`);
    }
    await pullBlob(blob, to, options);
  }
  await to.store.write(descriptor, Readable.from([bytes]));
  await to.store.attach(subject, descriptor);
}

/** Registries say in many ways that they do not have something. */
async function optional<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ImageError && NOT_THERE.has(error.code)) return undefined;
    throw error;
  }
}

const NOT_THERE = new Set(['NOT_FOUND', 'REGISTRY_ERROR', 'REGISTRY_UNAUTHORIZED', 'MEDIA_TYPE_UNSUPPORTED']);

function abort(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
