// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestAlgorithm, digestHex } from '../../../image-format/index.ts';
import { sortableTime } from '../../service/keys.ts';
import type { Surroundings } from '../../service/surroundings.ts';
import { INDEX_VERSION } from './indexed-layer.ts';

/*
 * Where indexes of layers stand in the storage:
 *
 *     layer-files/<version>/<alg>/<xx>/<hex>   record: which data, or why there is none
 *     layer-files-data/<time>-<id>             the index
 *     layer-files-making/<alg>-<hex>           who makes it now
 */
export const INDEXES_PREFIX = 'layer-files/';
export const INDEX_DATA_PREFIX = 'layer-files-data/';
export const MAKING_PREFIX = 'layer-files-making/';

export function indexKey(digest: Digest): string {
  const hex = digestHex(digest);
  return `${INDEXES_PREFIX}${INDEX_VERSION}/${digestAlgorithm(digest)}/${hex.slice(0, 2)}/${hex}`;
}

export function makingKey(digest: Digest): string {
  return `${MAKING_PREFIX}${digestAlgorithm(digest)}-${digestHex(digest)}`;
}

export function freshIndexDataKey(surroundings: Surroundings): string {
  return `${INDEX_DATA_PREFIX}${sortableTime(surroundings.now())}-${surroundings.uniqueId()}`;
}

/** Milliseconds since 1970; undefined for a key that does not tell. */
export function indexDataTime(key: string): number | undefined {
  const time = key.slice(INDEX_DATA_PREFIX.length).match(/^([0-9]{15})-/)?.[1];
  return time === undefined ? undefined : Number(time);
}
