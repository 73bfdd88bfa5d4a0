// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../../../image-format/index.ts';

/** A tag by which a tool attaches something to a manifest, where it does not use the referrers API. */
export interface AttachedTag {
  subject: Digest;
  /** `list`: an index of referrers, as the specification has it for registries without the API. */
  kind: 'signature' | 'attestation' | 'sbom' | 'list';
}

const KINDS = { sig: 'signature', att: 'attestation', sbom: 'sbom' } as const;

/** Reads `sha256-<hex>.sig` and the like (cosign), and `sha256-<hex>` (distribution-spec, "Referrers Tag Schema"). */
export function attachedTag(tag: string): AttachedTag | undefined {
  const found = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\.(sig|att|sbom))?$/.exec(tag);
  if (found === null) return undefined;
  const subject = `${found[1]}:${found[2]}`;
  if (!isDigest(subject)) return undefined;
  const suffix = found[3] as keyof typeof KINDS | undefined;
  return { subject, kind: suffix === undefined ? 'list' : KINDS[suffix] };
}
