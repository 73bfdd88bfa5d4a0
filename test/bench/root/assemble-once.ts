// SPDX-License-Identifier: Apache-2.0
// Assembles one image in a process of its own: STORE NAME CACHE. Prints the milliseconds that it took. As `uk` does it, the
// process has a cache of compiled code.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from './folders.ts';

enableCompileCache(join(cacheFolder(), 'node'));
const { openContentStore } = await import('../../../image-format/layout/index.ts');
const { assemble } = await import('../../../puller/index.ts');

const [store = '', name = '', cacheDir = ''] = process.argv.slice(2);
const content = await openContentStore(store);
const descriptor = await content.resolve(name);
if (descriptor === undefined) throw new Error(`${name} is not in ${store}`);
const begin = performance.now();
await assemble(content, descriptor, { cacheDir });
console.log(performance.now() - begin);
