// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bundleScripts } from '../../registry/web/client/bundle.ts';

const CLIENT = resolve(import.meta.dirname, '../../registry/web/client');
/** Bytes, compressed. */
const MOST = 150_000;

test('everything that pages load is small', async () => {
  const scripts = await bundleScripts(CLIENT);
  const files = [...scripts.values(), readFileSync(join(CLIENT, 'style.css')), readFileSync(join(CLIENT, 'icon.svg'))];
  const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  console.log(`pages load at most ${(bytes / 1000).toFixed(1)} kB, compressed`);
  expect(bytes).toBeLessThan(MOST);
  // What hashes comes only when somebody verifies something.
  expect(String(scripts.get('main.js'))).toContain('hash.js');
});
