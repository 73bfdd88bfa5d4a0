// SPDX-License-Identifier: Apache-2.0
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from '../store/folders.ts';

// Half of a short command's time would otherwise go into compiling what did not change since the last one.
enableCompileCache(join(cacheFolder(), 'node'));

const { main } = await import('./program.ts');
process.exitCode = await main(process.argv.slice(2));
