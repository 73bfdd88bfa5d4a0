// SPDX-License-Identifier: Apache-2.0
import { type ImageConfig, ImageError, type Manifest, parseImageConfig } from '../../../image-format/index.ts';
import type { Service } from '../../service/index.ts';
import { readBlob } from '../content.ts';
import type { ManifestKind } from '../types/repository.ts';

export interface ReadConfig {
  image: ImageConfig | undefined;
  /** A Helm chart's description. */
  chart: Record<string, unknown> | undefined;
  warnings: string[];
}

const MOST_BYTES = 4 * 1024 * 1024;

/** Reads the config of an image or a chart; of other artifacts it says nothing. */
export async function readConfig(
  service: Service,
  repository: string,
  { config }: Manifest,
  kind: ManifestKind,
): Promise<ReadConfig> {
  const nothing = { image: undefined, chart: undefined };
  if (kind !== 'image' && kind !== 'kernel' && kind !== 'chart') return { ...nothing, warnings: [] };
  const bytes = await readBlob(service, repository, config.digest, MOST_BYTES);
  if (bytes === undefined) return { ...nothing, warnings: ['the config is not here, or too large to be read'] };
  try {
    if (kind === 'chart') return { ...nothing, chart: objectIn(bytes), warnings: [] };
    return { ...nothing, image: parseImageConfig(bytes), warnings: [] };
  } catch (error) {
    if (!(error instanceof ImageError || error instanceof SyntaxError)) throw error;
    return { ...nothing, warnings: [`the config cannot be read: ${error.message.slice(0, 300)}`] };
  }
}

function objectIn(bytes: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
