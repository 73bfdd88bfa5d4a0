// SPDX-License-Identifier: Apache-2.0
import prettyBytes from 'pretty-bytes';

/** `2.3 MB`: sizes for people, in decimal units as registries and disks have them. */
export function formatBytes(bytes: number): string {
  return prettyBytes(bytes, { maximumFractionDigits: 1 });
}
