// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import type { StoredManifest } from '../../service/manifests.ts';
import { readBlob } from '../content.ts';
import { readContent } from '../image/facts.ts';
import type { ArtifactContent } from '../types/referrers.ts';

const MOST_BYTES = 4 * 1024 * 1024;
/** Characters that are shown. */
const MOST_SHOWN = 512 * 1024;

/** One blob of an artifact as text, where it is one. @throws RegistryError `FILE_UNKNOWN` */
export async function artifactContent(
  service: Service,
  repository: string,
  manifest: StoredManifest,
  number: number,
): Promise<ArtifactContent> {
  const document = readContent(manifest)?.document;
  const layer = document?.kind === 'manifest' ? document.value.layers[number] : undefined;
  if (layer === undefined) throw new RegistryError('FILE_UNKNOWN', `there is no content ${number} in it`);
  const bytes = await readBlob(service, repository, layer.digest, MOST_BYTES);
  const common = { digest: manifest.digest, blob: layer.digest, mediaType: layer.mediaType };
  const text = bytes === undefined ? undefined : textIn(bytes);
  if (text === undefined) return { ...common, cut: bytes === undefined };
  const json = parse(text);
  const shown = (json === undefined ? undefined : indented(json)) ?? text;
  const payload = payloadIn(json);
  return {
    ...common,
    text: shown.slice(0, MOST_SHOWN),
    ...(payload === undefined ? {} : { payload: payload.slice(0, MOST_SHOWN) }),
    cut: shown.length > MOST_SHOWN || (payload?.length ?? 0) > MOST_SHOWN,
  };
}

/** @returns undefined for a document that is nested too deeply to be written */
function indented(json: unknown): string | undefined {
  try {
    return JSON.stringify(json, undefined, 2);
  } catch {
    return undefined;
  }
}

function payloadIn(json: unknown): string | undefined {
  const envelope = at(json, 'dsseEnvelope') ?? json;
  const payload = at(envelope, 'payload');
  const text = typeof payload === 'string' ? textIn(Buffer.from(payload, 'base64')) : undefined;
  if (text === undefined) return undefined;
  const inner = parse(text);
  return inner === undefined ? text : JSON.stringify(inner, undefined, 2);
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textIn(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
