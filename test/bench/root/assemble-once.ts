// SPDX-License-Identifier: Apache-2.0
// Assembles one image in a process of its own: STORE NAME CACHE. Prints the milliseconds that it took.
import { openContentStore } from '../../../image-format/layout/index.ts';
import { assemble } from '../../../puller/index.ts';

const [store = '', name = '', cacheDir = ''] = process.argv.slice(2);
const content = await openContentStore(store);
const descriptor = await content.resolve(name);
if (descriptor === undefined) throw new Error(`${name} is not in ${store}`);
const begin = performance.now();
await assemble(content, descriptor, { cacheDir });
console.log(performance.now() - begin);
