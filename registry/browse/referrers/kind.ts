// SPDX-License-Identifier: Apache-2.0
import { isSignatureType } from '../repositories/attachments.ts';
import type { ReferrerKind } from '../types/referrers.ts';

/** What a referrer is, from the types that it names. */
export function referrerKind(types: readonly (string | undefined)[], predicateType: string | undefined): ReferrerKind {
  const named = types.filter((type) => type !== undefined).map((type) => type.toLowerCase());
  const predicate = predicateType?.toLowerCase() ?? '';
  const some = (pattern: RegExp) => named.some((type) => pattern.test(type));
  if (/spdx|cyclonedx/.test(predicate)) return 'sbom';
  if (/provenance/.test(predicate)) return 'provenance';
  if (some(/readme|^text\/markdown/)) return 'readme';
  if (some(/spdx|cyclonedx|syft|sbom/)) return 'sbom';
  if (some(/provenance/)) return 'provenance';
  if (some(/\bdelta\b/)) return 'delta';
  // A bundle holds a signature or, with a predicate, an attestation.
  if (predicate !== '' && !/cosign\/sign/.test(predicate)) return 'attestation';
  if (named.some(isSignatureType) || some(/simplesigning|signature|\.sig\b/)) return 'signature';
  return some(/in-toto|dsse|attestation/) ? 'attestation' : 'other';
}
