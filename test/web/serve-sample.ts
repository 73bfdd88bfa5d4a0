// SPDX-License-Identifier: Apache-2.0
// A registry with the sample in it, to look at: node test/web/serve-sample.ts [PORT] [hostile]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry } from '../../registry/index.ts';
import { HttpPusher } from './sample/pusher.ts';
import { pushSample } from './sample/sample.ts';

const [port = '5055', ...kinds] = process.argv.slice(2);
const root = await mkdtemp(join(tmpdir(), 'uk-sample-'));
const registry = await createRegistry({ storage: { driver: 'filesystem', root } });
const { url } = await registry.listen({ host: '127.0.0.1', port: Number(port) });
await pushSample(new HttpPusher(url));
if (kinds.includes('hostile')) await (await import('./sample/hostile.ts')).pushHostile(new HttpPusher(url));
console.log(`look at ${url}/`);
process.once('SIGINT', end).once('SIGTERM', end);

async function end(): Promise<void> {
  await registry.close({ graceMs: 0 });
  await rm(root, { recursive: true });
  process.exit(0);
}
