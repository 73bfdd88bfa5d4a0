// SPDX-License-Identifier: Apache-2.0
// `npm run table:manifests`: the manifests of manifest-cases.ts, what this registry answers, what Docker registry 3
// answers, and whether Go reads them. What cannot be had here is left out of the table, with its reason.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../../image-format/index.ts';
import { dockerStart, registryModule } from '../bench/registry/docker-registry.ts';
import { startRegistry } from '../clients/running-registry.ts';
import { call } from './call.ts';
import { pusher } from './content.ts';
import { startGoDecoder } from './go-decoder.ts';
import { IMAGE, LAYER, MANIFEST_CASES, type ManifestCase } from './manifest-cases.ts';

type Column = (one: ManifestCase) => Promise<string>;

const columns = new Map<string, Column>();
const endings: (() => unknown)[] = [];

async function answers(url: string): Promise<Column> {
  await blobs(url);
  return async ({ bytes, mediaType }) => {
    const path = `/v2/cases/manifests/${digestOf(bytes)}`;
    const headers = { 'Content-Type': mediaType };
    const { status, body } = await call(url, { method: 'PUT', path, headers, body: bytes });
    return status < 400 ? `${status}` : `${status} ${JSON.parse(body.toString()).errors[0].code}`;
  };
}

/** Not every registry takes a blob in one request. */
async function blobs(url: string): Promise<void> {
  for (const bytes of [Buffer.from('{}'), Buffer.from(LAYER)]) {
    const { headers } = await call(url, { method: 'POST', path: '/v2/cases/blobs/uploads/' });
    const location = new URL(headers.location ?? '', url);
    location.searchParams.set('digest', digestOf(bytes));
    await call(url, { method: 'PUT', path: `${location.pathname}${location.search}`, body: bytes });
  }
  await pusher(url).manifest('cases', 'image', IMAGE);
}

const ours = await startRegistry();
endings.push(() => ours.stop());
columns.set('uk', await answers(ours.url));

try {
  const { command, version } = await registryModule();
  const storage = await mkdtemp(join(tmpdir(), 'uk-registry-3-'));
  const server = await dockerStart(command)(join(storage, 'data'));
  endings.push(
    () => server.stop(),
    () => rm(storage, { recursive: true, force: true }),
  );
  columns.set(version, await answers(server.url));
} catch (error) {
  console.error(`Docker registry 3 is left out: ${error instanceof Error ? error.message : error}`);
}

const decoder = startGoDecoder();
if (typeof decoder === 'string') {
  console.error(`Go is left out: ${decoder}`);
} else {
  endings.push(() => decoder.close());
  columns.set('Go decoder', async ({ bytes, mediaType }) =>
    (await decoder.refusal(bytes, mediaType)) ? 'refuses' : 'reads',
  );
}

try {
  const row = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
  row(['manifest with', ...columns.keys()]);
  row(['---', ...[...columns.keys()].map(() => '---')]);
  for (const one of MANIFEST_CASES) {
    const cells = [];
    for (const column of columns.values()) cells.push(await column(one));
    row([one.name.replaceAll('|', '\\|'), ...cells]);
  }
} finally {
  for (const end of endings.reverse()) await end();
}
