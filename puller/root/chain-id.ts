// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../../image-format/index.ts';

/**
 * The name of what a stack of layers gives (image-spec config.md, "Layer ChainID").
 *
 * @param diffIds of at least one layer, the lowest first
 */
export function chainId(diffIds: readonly Digest[]): Digest {
  const [lowest, ...others] = diffIds;
  if (lowest === undefined) return digestOf('');
  return others.reduce((chain, diffId) => digestOf(`${chain} ${diffId}`), lowest);
}
