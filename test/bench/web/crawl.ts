// SPDX-License-Identifier: Apache-2.0
// A crawler: a program of its own that asks for one page after the other, as fast as they come.
//   node crawl.ts URL CONNECTIONS REPOSITORIES
import { Agent, get } from 'node:http';
import { nameOf } from './populate.ts';

const [url = '', connections = '1', repositories = '1000'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });
let pages = 0;
process.on('SIGTERM', () => {
  process.stdout.write(`${pages}\n`);
  process.exit(0);
});

for (let lane = 0; lane < Number(connections); lane += 1) crawl(lane);

async function crawl(lane: number): Promise<void> {
  for (let at = lane; ; at = (at + 7) % Number(repositories)) {
    const repository = encodeURIComponent(nameOf(at));
    for (const path of [
      `repositories?page=${1 + (at % 100)}`,
      `repositories?search=app-${at % 1000}`,
      `repository?repository=${repository}`,
      `tags?repository=${repository}`,
      `image?repository=${repository}&reference=v1.0`,
      `referrers?repository=${repository}&reference=v1.0`,
      `files?repository=${repository}&reference=v1.0`,
    ]) {
      await ask(`${url}/api/v1/${path}`);
      pages += 1;
    }
  }
}

function ask(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(path, { agent }, (answer) => answer.resume().on('end', resolve).on('error', reject)).on('error', reject);
  });
}
