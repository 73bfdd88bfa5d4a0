// SPDX-License-Identifier: Apache-2.0
import type { RemoteOptions, RemoteRegistry } from './remote.ts';

/** A client of one registry. Nothing is sent before the first request. */
export function openRemote(_options: RemoteOptions): RemoteRegistry {
  throw new Error('not written yet');
}
