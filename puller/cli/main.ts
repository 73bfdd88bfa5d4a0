// SPDX-License-Identifier: Apache-2.0
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from '../store/folders.ts';
import { watchOutput } from './output/broken-output.ts';

try {
  // Half of a short command's time would otherwise go into compiling what did not change since the last one.
  enableCompileCache(join(cacheFolder(), 'node'));
} catch {
  // Without a home there is no cache; whoever needs the home says so.
}
watchOutput();

const { main } = await import('./program.ts');
process.exitCode = await main(process.argv.slice(2));
