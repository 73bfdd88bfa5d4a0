// SPDX-License-Identifier: Apache-2.0
// `npm run bench:root`: roots on disks in numbers, each beside what it is to be compared with, in one run. Prints a table
// in Markdown. It takes about ten minutes, root's rights, 6 GB of disk, and Debian's packages.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, mkdirCache } from './folders.ts';
import { makeImages } from './images.ts';
import { leastMemory } from './memory.ts';
import { reads } from './reads.ts';
import type { Row } from './row.ts';
import { starts } from './starts.ts';
import { unpacking } from './unpacking.ts';

// On the disk, not in memory: the layers are as large as in real use.
mkdirCache();
const folder = mkdtempSync(join(cacheFolder(), 'bench-root-'));
try {
  const images = await makeImages(folder, say);
  const rows: Row[] = [];
  for (const [name, part] of Object.entries({ unpacking, starts, leastMemory, reads })) {
    say(name);
    rows.push(...(await part(images, folder)));
  }
  console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}\n`);
  console.log('| what | ours | the other | ratio | wanted |\n| --- | --- | --- | --- | --- |');
  for (const { what, ours, other = '', ratio, wanted = 'shown' } of rows) {
    console.log(`| ${what} | ${ours} | ${other} | ${ratio === undefined ? '' : ratio.toFixed(2)} | ${wanted} |`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Where it stands; not among the results. */
function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
