// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { annotations, bytes, count, digest, type PageQuery, pageInfo, time } from './paging.ts';

export const referrerKindSchema = z.enum([
  'signature',
  'sbom',
  'provenance',
  'attestation',
  'delta',
  'readme',
  'other',
]);
export type ReferrerKind = z.infer<typeof referrerKindSchema>;

/** Who made a signature, as the signature says. The registry does not verify it. */
export const signerSchema = z
  .object({
    format: z.enum(['cosign', 'sigstore', 'notation']),
    /** Mail address, URL of a workflow, or subject of a certificate; undefined where only a key was used. */
    name: z.string().optional(),
    /** Who vouches for that name. */
    issuer: z.string().optional(),
  })
  .meta({ id: 'Signer' });
export type Signer = z.infer<typeof signerSchema>;

export interface Referrer {
  digest: z.infer<typeof digest>;
  kind: ReferrerKind;
  mediaType: string;
  artifactType?: string | undefined;
  size: number;
  created?: number | undefined;
  annotations: Record<string, string>;
  /** Of an attestation: `https://spdx.dev/Document`, `https://slsa.dev/provenance/v1`. */
  predicateType?: string | undefined;
  /** How it was found: by the referrers API, by a tag that cosign makes (`sha256-….sig`), or in the index itself. */
  foundBy: 'referrer' | 'tag' | 'index';
  signer?: Signer | undefined;
  /** Content blobs. */
  layers: { digest: z.infer<typeof digest>; mediaType: string; size: number }[];
  /** What refers to it in turn. */
  referrers: Referrer[];
  /** It stands further up already (a ring); its referrers are not repeated. */
  repeated: boolean;
}

export const referrerSchema: z.ZodType<Referrer> = z
  .object({
    digest,
    kind: referrerKindSchema,
    mediaType: z.string(),
    artifactType: z.string().optional(),
    size: bytes,
    created: time.optional(),
    annotations,
    predicateType: z.string().optional(),
    foundBy: z.enum(['referrer', 'tag', 'index']),
    signer: signerSchema.optional(),
    layers: z.array(z.object({ digest, mediaType: z.string(), size: bytes })),
    get referrers(): z.ZodType<Referrer[]> {
      return z.array(referrerSchema);
    },
    repeated: z.boolean(),
  })
  .meta({ id: 'Referrer' });

export const referrerTreeSchema = z
  .object({
    digest,
    referrers: z.array(referrerSchema),
    /** How many are shown, on all levels. */
    count,
    /** Whether some were left out because there are too many. */
    more: z.boolean(),
  })
  .meta({ id: 'ReferrerTree' });
export type ReferrerTree = z.infer<typeof referrerTreeSchema>;

export interface PackagesQuery extends PageQuery {
  search?: string | undefined;
}

export const packageSchema = z
  .object({
    name: z.string(),
    version: z.string().optional(),
    /** `deb`, `npm`, …: the type of its package URL. */
    type: z.string().optional(),
    license: z.string().optional(),
    purl: z.string().optional(),
  })
  .meta({ id: 'Package' });
export type Package = z.infer<typeof packageSchema>;

/** What an SBOM lists. */
export const packagePageSchema = z
  .object({
    ...pageInfo,
    /** The SBOM's manifest. */
    digest,
    format: z.enum(['spdx', 'cyclonedx', 'syft']),
    rows: z.array(packageSchema),
  })
  .meta({ id: 'PackagePage' });
export type PackagePage = z.infer<typeof packagePageSchema>;

/** The content of an artifact, made readable: JSON is indented, the payload of an envelope is taken out of it. */
export const artifactContentSchema = z
  .object({
    digest,
    blob: digest,
    mediaType: z.string(),
    /** Undefined where it is no text. */
    text: z.string().optional(),
    /** The statement inside of a DSSE envelope. */
    payload: z.string().optional(),
    cut: z.boolean(),
  })
  .meta({ id: 'ArtifactContent' });
export type ArtifactContent = z.infer<typeof artifactContentSchema>;
