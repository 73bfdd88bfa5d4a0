// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../errors.ts';

/** The folder of the guest's init, which comes with the kernel. */
const RESERVED = '.uk';

/**
 * @param place where something would be put, without a leading slash
 * @param path as the layer names it
 * @throws PullerError `IMAGE_UNSUPPORTED`
 */
export function checkReserved(place: string, role: string, path = place): void {
  if (place !== RESERVED && !place.startsWith(`${RESERVED}/`)) return;
  const through = path === place ? '' : `, which leads to /${place}`;
  throw new PullerError(
    'IMAGE_UNSUPPORTED',
    `the ${role} layer holds ${path}${through}: that folder is the guest's own`,
  );
}
