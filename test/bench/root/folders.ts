// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the scratch space of the benchmark is made. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uk');
}

export function mkdirCache(): void {
  mkdirSync(cacheFolder(), { recursive: true });
}
