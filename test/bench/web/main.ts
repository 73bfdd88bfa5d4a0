// SPDX-License-Identifier: Apache-2.0
// How fast a registry of many repositories is browsed, and what browsing costs those who pull.
//
//   npm run bench:web                     10,000 repositories with 10 tags each, in a folder
//   npm run bench:web -- --s3             in a bucket; the environment names the server (test/s3/server.ts), or Ceph runs
//   npm run bench:web -- --keep NAME      in this folder (or, with --s3, bucket), which is kept: the next run finds it filled
//   npm run bench:web -- --repositories 1000 --tags 10 --seconds 5
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FilesystemStore } from '../../../registry/storage/filesystem/index.ts';
import { S3Store } from '../../../registry/storage/s3/index.ts';
import { Load } from '../registry/load.ts';
import { type RunningServer, runServer } from '../registry/running-server.ts';
import { nameOf, populate, type Scale } from './populate.ts';

const { values } = parseArgs({
  options: {
    s3: { type: 'boolean', default: false },
    keep: { type: 'string' },
    repositories: { type: 'string', default: '10000' },
    tags: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
  },
});
const scale: Scale = { repositories: Number(values.repositories), tags: Number(values.tags) };
const seconds = Number(values.seconds);
const say = (line: string) => process.stdout.write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), 'uk-bench-web-'));

/** There once a storage is filled. */
const FILLED = 'bench-web/filled';

/** What is asked for, milliseconds, of 19 in 20. */
const SEARCH_MS = 100;
const PAGE_MS = 300;

try {
  const where = values.s3 ? await inBucket() : await inFolder();
  say(
    `${scale.repositories} repositories, ${scale.repositories * scale.tags} tags, ${values.s3 ? 'S3' : 'filesystem'}`,
  );
  const server = await runServer(
    join(import.meta.dirname, '../../../puller/cli/uk'),
    ['registry', 'serve', '--listen', '127.0.0.1:0', ...where.options],
    where.env,
  );
  try {
    // A server reads the names of repositories soon after its start.
    await wait(10_000);
    await timePages(server);
    await timePulls(server);
    say(`memory of all processes: ${Math.round((await server.memory()) / 1024 ** 2)} MiB`);
    await timeWholes(server);
    say(`memory of all processes: ${Math.round((await server.memory()) / 1024 ** 2)} MiB`);
  } finally {
    await server.stop();
    await where.end();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function fill(store: FilesystemStore | S3Store): Promise<void> {
  if ((await store.get(FILLED)) === undefined) await populate(store, scale, say);
  await store.put(FILLED, Buffer.from('yes'));
  await store.close();
}

async function inFolder() {
  const root = values.keep ?? join(folder, 'storage');
  await fill(await FilesystemStore.open({ root }));
  return { options: ['--storage', root], env: {}, end: async () => {} };
}

async function inBucket() {
  const setup = (await import('../../s3/global-setup.ts')).default;
  const end = await setup();
  const { freshPrefix, makeBucket } = await import('../../s3/server.ts');
  const kept = values.keep;
  const options = freshPrefix(
    kept === undefined ? {} : { bucket: kept, prefix: `${scale.repositories}x${scale.tags}` },
  );
  if (kept !== undefined) await makeBucket(kept);
  await fill(await S3Store.open(options));
  const set = (name: string, value: string | undefined) => ['--set', `storage.${name}=${value}`];
  return {
    options: [
      ...set('driver', 's3'),
      ...set('bucket', options.bucket),
      ...set('prefix', options.prefix),
      ...set('endpoint', options.endpoint),
      ...set('region', options.region),
      ...set('pathStyle', 'true'),
    ],
    env: {
      UK_REGISTRY_STORAGE_ACCESS_KEY_ID: options.accessKeyId,
      UK_REGISTRY_STORAGE_SECRET_ACCESS_KEY: options.secretAccessKey,
    },
    end,
  };
}

async function timePages({ url }: RunningServer): Promise<void> {
  const repository = (at: number) => `repository=${encodeURIComponent(nameOf((at * 37) % scale.repositories))}`;
  const name = (at: number) => nameOf((at * 37) % scale.repositories);
  const api = (path: string) => `api/v1/${path}`;
  const begun = performance.now();
  const image = (await ask(url, api(`image?${repository(0)}&reference=v1.0`))) as { layers: { digest: string }[] };
  const kernel = image.layers[0]?.digest ?? '';
  const answered = performance.now();
  await ask(url, '');
  const shown = performance.now();
  say(`the first answers of a server: of the API ${took(begun, answered)}, of a page ${took(answered, shown)}`);
  // Those of the API ask about other repositories than the pages do, so each is cold where it stands first.
  const cases: [name: string, most: number, path: (at: number) => string][] = [
    ['page: search', SEARCH_MS, (at) => `?q=product-${at % 13}+app-${at + 5000}`],
    ['page: search of one letter', SEARCH_MS, (at) => `?q=${(at % 10).toString()}&page=${1 + at}`],
    ['page: folders', PAGE_MS, (at) => `?folder=team-${at % 97}`],
    ['page: a repository', PAGE_MS, (at) => `r/${name(at + 100)}`],
    ['page: an image', PAGE_MS, (at) => `r/${name(at + 200)}:v1.0`],
    ['page: what is attached', PAGE_MS, (at) => `r/${name(at + 300)}:v1.0/-/attached`],
    ['page: who shares the kernel', PAGE_MS, (at) => `r/${name(at + 400)}:v1.0/-/sharing?digest=${kernel}`],
    ['page: compare', PAGE_MS, (at) => `compare?from=${name(at + 500)}:v1.0&to=${name(at + 500)}:v1.1`],
    ['page: a tag’s history', PAGE_MS, (at) => `r/${name(at + 600)}/-/history?tag=v1.0`],
    ['search', SEARCH_MS, (at) => api(`repositories?wait=50&search=product-${at % 13}+app-${at}`)],
    ['repositories', PAGE_MS, (at) => api(`repositories?wait=200&page=${1 + at}`)],
    ['folders', PAGE_MS, (at) => api(`repositories?folders=true&prefix=team-${at % 97}`)],
    ['a repository', PAGE_MS, (at) => api(`repository?${repository(at)}`)],
    ['its tags', PAGE_MS, (at) => api(`tags?${repository(at)}`)],
    ['an image', PAGE_MS, (at) => api(`image?${repository(at)}&reference=v1.0`)],
    ['its referrers', PAGE_MS, (at) => api(`referrers?${repository(at)}&reference=v1.0`)],
    ['who shares the kernel', PAGE_MS, (at) => api(`sharing?wait=150&${repository(at)}&digest=${kernel}`)],
  ];
  say('');
  say(
    `${'page'.padEnd(30)}${'first'.padStart(8)}${'median'.padStart(8)}${'19 of 20'.padStart(10)}${'longest'.padStart(9)}   limit   (ms; 50 different ones, all of them cold)`,
  );
  for (const [name, most, path] of cases) {
    const taken: number[] = [];
    for (let at = 0; at < 50; at += 1) {
      const begun = performance.now();
      await ask(url, path(at));
      taken.push(performance.now() - begun);
    }
    const [first = 0, ...others] = taken;
    const sorted = others.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
    const cells = [first, at(0.5), at(0.95), at(1)].map((one, column) =>
      one.toFixed(1).padStart([8, 8, 10, 9][column] ?? 8),
    );
    say(`${name.padEnd(30)}${cells.join('')}${String(most).padStart(8)}   ${at(0.95) <= most ? 'within' : 'BEYOND'}`);
  }
}

async function timeWholes({ url }: RunningServer): Promise<void> {
  say('');
  await timeMaking(
    url,
    'sorted by push',
    'api/v1/repositories?sort=pushed',
    (answer) => (answer as { making?: object }).making,
  );
  await timeMaking(url, 'space of all', 'api/v1/space', (answer) =>
    (answer as { state: string }).state === 'ready' ? undefined : {},
  );
}

/** What needs all repositories: how long it takes to be made, and then to be shown. */
async function timeMaking(url: string, name: string, path: string, isMaking: (answer: unknown) => object | undefined) {
  const begun = performance.now();
  while (isMaking(await ask(url, path)) !== undefined) await wait(200);
  const made = performance.now();
  await ask(url, path);
  const shown = performance.now() - made;
  say(
    `${name.padEnd(30)}made in ${((made - begun) / 1000).toFixed(1)} s, then ${shown.toFixed(1)} ms (limit ${PAGE_MS})`,
  );
}

async function timePulls(server: RunningServer): Promise<void> {
  const load = new Load(folder);
  const paths = Array.from({ length: 200 }, (_, at) => `/v2/${nameOf(at % scale.repositories)}/manifests/v1.0`);
  const length = (await (await fetch(server.url + paths[0])).arrayBuffer()).byteLength;
  const at = { port: server.port, connections: 16, seconds };
  const read = async () => {
    const { requests, seconds } = await load.read({ method: 'GET', paths, length }, at);
    return requests / seconds;
  };
  say('');
  await read();
  for (const connections of [1, 4]) {
    const shares: number[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const without = await read();
      const crawler = spawn(
        process.execPath,
        [join(import.meta.dirname, 'crawl.ts'), server.url, String(connections), String(scale.repositories)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const pages = text(crawler.stdout);
      await wait(1000);
      const during = await read();
      crawler.kill('SIGTERM');
      await once(crawler, 'exit');
      const crawled = Number(await pages) / (seconds + 1);
      shares.push(during / without);
      say(
        `manifests a second: ${without.toFixed(0)} without, ${during.toFixed(0)} beside a crawler of ` +
          `${connections} connections (${crawled.toFixed(0)} pages a second): ${((100 * during) / without).toFixed(0)} %`,
      );
    }
    const median = shares.toSorted((a, b) => a - b)[Math.floor((shares.length - 1) / 2)] ?? 0;
    say(`median ${(100 * median).toFixed(0)} %: ${median >= 0.8 ? 'within' : 'BELOW'} the 80 % that are asked for`);
  }
}

function took(from: number, to: number): string {
  return `${(to - from).toFixed(0)} ms`;
}

async function ask(url: string, path: string): Promise<unknown> {
  const response = await fetch(`${url}/${path}`, { headers: { Accept: 'text/html, application/json' } });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${answer.slice(0, 1000)}`);
  return path.startsWith('api/') ? JSON.parse(answer) : undefined;
}
