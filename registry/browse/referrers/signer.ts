// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import type { Signer } from '../types/referrers.ts';

const COSIGN_CERTIFICATE = 'dev.sigstore.cosign/certificate';
const COSIGN_SIGNATURE = 'dev.cosignproject.cosign/signature';

/**
 * Who made a signature, as the signature itself says. Nothing is verified here.
 *
 * @param layer descriptor's media type and annotations, and the blob where it was read
 */
export function signerOf(
  artifactType: string | undefined,
  layer: { mediaType: string; annotations?: Record<string, string> | undefined },
  blob: Buffer | undefined,
): Signer | undefined {
  const { annotations, mediaType } = layer;
  if (annotations?.[COSIGN_SIGNATURE] !== undefined) {
    return { format: 'cosign', ...namesIn(annotations[COSIGN_CERTIFICATE]) };
  }
  if (artifactType === 'application/vnd.cncf.notary.signature') {
    return { format: 'notation', ...namesIn(certificateOfEnvelope(blob)) };
  }
  if (mediaType.startsWith('application/vnd.dev.sigstore.bundle')) {
    return { format: 'sigstore', ...namesIn(certificateOfBundle(blob)) };
  }
  return undefined;
}

/** A certificate in PEM, or in DER. */
function namesIn(certificate: string | Buffer | undefined): Pick<Signer, 'name' | 'issuer'> {
  if (certificate === undefined || certificate.length > 64 * 1024) return {};
  try {
    const { subject, subjectAltName, issuer } = new X509Certificate(certificate);
    const alternative = /(?:email|URI):"?([^",\s]+)/.exec(subjectAltName ?? '')?.[1];
    const name = alternative ?? commonName(subject);
    const vouching = commonName(issuer);
    return { ...(name === undefined ? {} : { name }), ...(vouching === undefined ? {} : { issuer: vouching }) };
  } catch {
    return {};
  }
}

function commonName(distinguished: string | undefined): string | undefined {
  return /(?:^|\n)CN=([^\n]+)/.exec(distinguished ?? '')?.[1] ?? /(?:^|\n)O=([^\n]+)/.exec(distinguished ?? '')?.[1];
}

/** sigstore's bundle: protobuf-specs, `VerificationMaterial`. */
function certificateOfBundle(blob: Buffer | undefined): Buffer | undefined {
  const material = at(parse(blob), 'verificationMaterial');
  const [first] = list(at(at(material, 'x509CertificateChain'), 'certificates'));
  return decoded(at(at(material, 'certificate'), 'rawBytes') ?? at(first, 'rawBytes'));
}

/** notation's JWS envelope; one in COSE says nothing here. */
function certificateOfEnvelope(blob: Buffer | undefined): Buffer | undefined {
  const [first] = list(at(at(parse(blob), 'header'), 'x5c'));
  return decoded(first);
}

function decoded(text: unknown): Buffer | undefined {
  return typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
}

function parse(blob: Buffer | undefined): unknown {
  try {
    return JSON.parse(blob?.toString('utf8') ?? 'null');
  } catch {
    return undefined;
  }
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
