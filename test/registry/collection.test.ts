// SPDX-License-Identifier: Apache-2.0
// `uk registry gc`, with and without a server on the folder.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CollectionReport } from '../../registry/index.ts';
import { runUk } from '../whole/command.ts';
import { call } from './call.ts';
import { pusher } from './content.ts';
import { useServers } from './server-process.ts';

const { serve, folder } = useServers();
const images = () => join(folder(), 'images');
const AT_ONCE = ['--grace', '0', '--settle', '0'];

async function gc(...args: string[]): Promise<CollectionReport> {
  const { status, stdout, stderr } = await runUk(['registry', 'gc', '--storage', images(), '--json', ...args]);
  expect(status, stderr.toString()).toBe(0);
  return JSON.parse(stdout.toString());
}
const dataOf = (root: string) => readdir(join(root, 'objects/data')).then((names) => names.length);
const statusOf = async (url: string, path: string) => (await call(url, { path })).status;

describe.each([['1'], ['2']])('a collection beside a server with %s workers', (workers) => {
  test('frees what no manifest names, and nothing else', async () => {
    const server = await serve('--workers', workers);
    const push = pusher(server.url);
    const image = await push.image('kept', 't', 'a layer that an image has');
    const loose = await push.blob('loose', randomBytes(200_000));
    const before = await dataOf(images());

    expect((await gc()).counts.bytesFreed).toBe(0);
    const would = await gc(...AT_ONCE, '--dry-run');
    expect(would).toMatchObject({
      outcome: 'finished',
      dryRun: true,
      counts: { blobsDeleted: 1, bytesFreed: 200_000 },
    });
    expect(await dataOf(images())).toBe(before);
    expect(await statusOf(server.url, `/v2/loose/blobs/${loose}`)).toBe(200);

    expect(await gc(...AT_ONCE)).toMatchObject({ counts: { blobsDeleted: 1, bytesFreed: 200_000 }, problems: [] });
    expect(await dataOf(images())).toBe(before - 1);
    expect(await statusOf(server.url, `/v2/loose/blobs/${loose}`)).toBe(404);
    const { body } = await call(server.url, { path: '/v2/kept/manifests/t' });
    const { layers, config } = JSON.parse(body.toString());
    for (const { digest } of [config, ...layers]) {
      expect(await statusOf(server.url, `/v2/kept/blobs/${digest}`)).toBe(200);
    }

    await call(server.url, { method: 'DELETE', path: `/v2/kept/manifests/${image}` });
    await gc(...AT_ONCE);
    expect(await dataOf(images())).toBe(0);
  });

  test('runs while clients push, who notice nothing', async () => {
    const server = await serve('--workers', workers);
    const push = pusher(server.url);
    let pushing = true;
    const collecting = (async () => {
      let rounds = 0;
      for (; pushing; rounds += 1) await gc('--grace', '0', '--settle', '0');
      return rounds;
    })();
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(
        Array.from({ length: 8 }, async (_, at) => {
          const name = `busy/${at % 3}`;
          // A client whose blob went before its manifest came is told so, and pushes it again.
          for (let tries = 0; ; tries += 1) {
            try {
              await push.image(name, `t${round}-${at}`, `layer ${round} ${at % 4}`);
              break;
            } catch (error) {
              if (tries === 20 || !String(error).includes('MANIFEST_BLOB_UNKNOWN')) throw error;
            }
          }
        }),
      );
    }
    pushing = false;
    expect(await collecting).toBeGreaterThan(0);
    await gc(...AT_ONCE);
    for (let round = 0; round < 6; round += 1) {
      for (let at = 0; at < 8; at += 1) {
        const path = `/v2/busy/${at % 3}`;
        const { status, body } = await call(server.url, { path: `${path}/manifests/t${round}-${at}` });
        expect(status).toBe(200);
        const { layers, config } = JSON.parse(body.toString());
        for (const { digest } of [config, ...layers]) {
          expect(await statusOf(server.url, `${path}/blobs/${digest}`)).toBe(200);
        }
      }
    }
  });
});

describe('a collection', () => {
  test('of a folder that holds no registry says so, and makes none', async () => {
    const { status, stderr } = await runUk(['registry', 'gc', '--storage', images(), '--dry-run']);
    expect([status, stderr.toString()]).toEqual([1, expect.stringContaining(`no registry in ${images()}`)]);
    await expect(readdir(images())).rejects.toThrow(/ENOENT/);
  });

  test('works on a folder that no server has, and leaves it free', async () => {
    const server = await serve();
    await pusher(server.url).blob('loose', 'bytes that nobody names');
    server.signal('SIGKILL');
    await server.ended;
    expect((await gc(...AT_ONCE)).counts.blobsDeleted).toBe(1);
    await serve();
  });

  test('is asked for over a path that is longer than a socket may have', async () => {
    const deep = join(folder(), 'x'.repeat(100), 'images');
    await mkdir(deep, { recursive: true });
    const server = await serve('--storage', deep);
    await pusher(server.url).blob('loose', 'bytes that nobody names');
    const { status, stdout } = await runUk(['registry', 'gc', '--storage', deep, '--json', ...AT_ONCE]);
    expect([status, JSON.parse(stdout.toString()).counts.blobsDeleted]).toEqual([0, 1]);
  });

  test('that meets a damaged manifest says so, and leaves alone what it may need', async () => {
    const server = await serve();
    const push = pusher(server.url);
    const image = await push.image('hurt', 't', 'layer');
    const before = await dataOf(images());
    await writeFile(join(images(), `objects/repositories/hurt/_manifests/${image.replace(':', '/')}`), 'not a record');
    const { status, stderr } = await runUk(['registry', 'gc', '--storage', images(), ...AT_ONCE]);
    expect(status).toBe(1);
    expect(stderr.toString()).toMatch(/left alone: .*hurt.*damaged/);
    expect(await dataOf(images())).toBe(before);
  });

  test('can be the server’s own habit', async () => {
    // With no grace at all a collection may come between the steps of a push.
    const settings = ['collection.every=50ms', 'collection.grace=2s', 'collection.settle=0'];
    const server = await serve('--log-level', 'info', ...settings.flatMap((setting) => ['--set', setting]));
    const loose = await pusher(server.url).blob('loose', 'bytes that nobody names');
    await expect.poll(() => statusOf(server.url, `/v2/loose/blobs/${loose}`), { timeout: 20_000 }).toBe(404);
  });
});
