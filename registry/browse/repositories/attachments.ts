// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../../image-format/index.ts';
import { atOnce } from '../at-once.ts';
import type { AllFacts, Facts } from '../image/facts.ts';
import type { Contents } from './contents.ts';

/** Artifact types of signatures: cosign, notation, and bundles of sigstore. */
const SIGNATURES: readonly string[] = [
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.cncf.notary.signature',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
];
const LOOKED_AT = 20;

export function isSignatureType(artifactType: string | undefined): boolean {
  if (artifactType === undefined) return false;
  return SIGNATURES.includes(artifactType) || artifactType.startsWith('application/vnd.dev.sigstore.bundle');
}

/** What is attached to a manifest, as far as a row says it. */
export async function attachmentsOf(
  facts: AllFacts,
  repository: string,
  contents: Contents,
  subject: Digest,
): Promise<{ signed: boolean; referrers: number }> {
  const tags = contents.attached.get(subject) ?? [];
  const referrers = contents.referrers.get(subject) ?? [];
  const read = await atOnce(referrers.slice(0, LOOKED_AT), 8, (digest) => facts.of(repository, { digest }));
  const held = read.filter((found): found is Facts => found?.subject === subject);
  const signed =
    tags.some(({ kind }) => kind === 'signature') || held.some(({ artifactType }) => isSignatureType(artifactType));
  const unread = Math.max(0, referrers.length - LOOKED_AT);
  return { signed, referrers: held.length + unread + tags.filter(({ kind }) => kind !== 'list').length };
}
