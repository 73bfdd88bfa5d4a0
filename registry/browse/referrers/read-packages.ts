// SPDX-License-Identifier: Apache-2.0
import type { Package, PackagePage } from '../types/referrers.ts';

export interface PackageList {
  format: PackagePage['format'];
  packages: Package[];
}

/** More packages of one SBOM are left out. */
const MOST = 100_000;

/**
 * Reads an SBOM: SPDX, CycloneDX or syft's own, plain, as the predicate of a statement, or inside of a DSSE envelope.
 *
 * @returns undefined for what is none of these
 */
export function readPackages(bytes: Uint8Array): PackageList | undefined {
  const document = unwrapped(parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')), 0);
  const list = (name: string) => entries(at(document, name)).slice(0, MOST);
  if (typeof at(document, 'spdxVersion') === 'string') {
    return { format: 'spdx', packages: list('packages').map(spdx) };
  }
  if (at(document, 'bomFormat') === 'CycloneDX') {
    return { format: 'cyclonedx', packages: list('components').map(cyclonedx) };
  }
  if (Array.isArray(at(document, 'artifacts'))) return { format: 'syft', packages: list('artifacts').map(syft) };
  return undefined;
}

/** The statement in an envelope, and the predicate in a statement; envelopes may lie in sigstore's bundles. */
function unwrapped(document: unknown, depth: number): unknown {
  if (depth > 4) return document;
  const inner = at(document, 'dsseEnvelope');
  if (inner !== undefined) return unwrapped(inner, depth + 1);
  const payload = at(document, 'payload');
  if (typeof payload === 'string') {
    return unwrapped(parse(Buffer.from(payload, 'base64').toString('utf8')), depth + 1);
  }
  const predicate = at(document, 'predicate');
  return predicate === undefined ? document : (at(predicate, 'Data') ?? predicate);
}

function spdx(entry: unknown): Package {
  const purl = entries(at(entry, 'externalRefs')).find((ref) => at(ref, 'referenceType') === 'purl');
  const license = [at(entry, 'licenseConcluded'), at(entry, 'licenseDeclared')].find(
    (one) => typeof one === 'string' && one !== 'NOASSERTION' && one !== 'NONE',
  );
  return made(at(entry, 'name'), at(entry, 'versionInfo'), license, at(purl, 'referenceLocator'));
}

function cyclonedx(entry: unknown): Package {
  const licenses = entries(at(entry, 'licenses')).map(
    (one) => at(one, 'expression') ?? at(at(one, 'license'), 'id') ?? at(at(one, 'license'), 'name'),
  );
  return made(at(entry, 'name'), at(entry, 'version'), joined(licenses), at(entry, 'purl'));
}

function syft(entry: unknown): Package {
  const licenses = entries(at(entry, 'licenses')).map((one) => (typeof one === 'string' ? one : at(one, 'value')));
  return made(at(entry, 'name'), at(entry, 'version'), joined(licenses), at(entry, 'purl'), at(entry, 'type'));
}

function made(name: unknown, version: unknown, license: unknown, purl: unknown, type?: unknown): Package {
  const kind = text(type) ?? /^pkg:([A-Za-z0-9.+-]+)\//.exec(text(purl) ?? '')?.[1];
  return {
    name: text(name) ?? '',
    ...(text(version) === undefined ? {} : { version: text(version) }),
    ...(kind === undefined ? {} : { type: kind }),
    ...(text(license) === undefined ? {} : { license: text(license) }),
    ...(text(purl) === undefined ? {} : { purl: text(purl) }),
  };
}

const MOST_TEXT = 1_000;

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, MOST_TEXT) : undefined;
}

function joined(values: readonly unknown[]): string | undefined {
  const texts = values.filter((value) => typeof value === 'string');
  return texts.length === 0 ? undefined : texts.join(' AND ');
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function entries(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
