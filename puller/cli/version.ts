// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version in the package's own package.json: beside the sources, or above what they were built to. */
export function version(): string {
  for (const up of ['../..', '../../..']) {
    try {
      const text = readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Not there: one folder further up.
    }
  }
  return 'unknown';
}
