// SPDX-License-Identifier: Apache-2.0
// Pulls over a line with delay and loss, between two network namespaces, that is cut at every tenth of a layer. Counted
// at our own registry: what it had to send twice is one chunk for each cut at most.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { openContentStore } from '../../image-format/layout/index.ts';
import { CHUNK_SIZE } from '../../image-format/remote/fetch/line.ts';
import { root } from '../whole/command.ts';
import { Line, whyNoLine } from './network/line.ts';
import { pushRandomImage, type RandomImage } from './network/random-image.ts';
import { type Served, serve } from './network/served.ts';

const MB = 1024 * 1024;
const LAYER = 64 * MB;
/** All of them in `npm run test:pull`, some of them where everything is tested. */
const TENTHS = process.env.UK_TEST_KILLS === undefined ? [2, 5, 8] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
const uk = join(root, 'puller/cli/main.ts');
const why = whyNoLine();
if (why !== undefined) console.log(`the tests of cut lines are left out: ${why}`);

let dir: string;
let line: Line;
let server: Served;
let image: RandomImage;

describe.skipIf(why !== undefined)('a line with delay and loss, cut at every tenth of a layer', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'uk-cuts-'));
    image = await pushRandomImage(join(dir, 'registry'), [LAYER]);
    line = await Line.open(dir, { delayMs: 25, lossPercent: 1 });
    server = await serve(join(dir, 'registry'), `${Line.server}:5000`, (...command) => line.atServer(...command));
  });
  afterAll(async () => {
    await server?.stop();
    line?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const begin = (store: string, ...options: string[]) => {
    const [command, ...args] = line.atNode(
      process.execPath,
      uk,
      '--store',
      join(dir, store),
      '-q',
      'pull',
      '--plain-http',
    );
    const child = spawn(command, [...args, ...options, `${Line.server}:5000/${image.name}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return { child, ended: once(child, 'close').then(([status]) => status as number | null) };
  };
  /** Checks what is in the store. @returns bytes that were sent twice */
  const judge = async (store: string, before: { bytes: number; requests: number }, cuts: string): Promise<number> => {
    const opened = await openContentStore(join(dir, store));
    expect(await opened.resolve(`${Line.server}:5000/${image.name}`)).toEqual(image.manifest);
    for (const { digest, size } of image.blobs) expect(digestOf(await opened.read(digest, size))).toBe(digest);
    await rm(join(dir, store), { recursive: true });
    const after = await server.sent();
    const headers = (after.requests - before.requests) * 1000;
    const twice = after.bytes - before.bytes - headers - image.size;
    console.log(`${cuts}: ${(twice / MB).toFixed(2)} MiB twice`);
    return twice;
  };

  test('by kill -9 of the puller', { timeout: 600_000 }, async () => {
    for (const tenth of TENTHS) {
      const before = await server.sent();
      const { child, ended } = begin('killed');
      await line.whenCarried(line.carried + (tenth * LAYER) / 10, AbortSignal.timeout(60_000));
      child.kill('SIGKILL');
      expect(await ended).toBeNull();
      const store = await openContentStore(join(dir, 'killed'));
      expect(await store.resolve(`${Line.server}:5000/${image.name}`)).toBeUndefined();
      expect(await begin('killed').ended).toBe(0);
      expect(await judge('killed', before, `killed at ${tenth}/10`)).toBeLessThanOrEqual(CHUNK_SIZE);
    }
  });

  test('by a router that forgets all connections', { timeout: 300_000 }, async () => {
    const before = await server.sent();
    const { ended } = begin('forgotten');
    for (const _tenth of TENTHS) {
      await line.whenCarried(line.carried + LAYER / 10, AbortSignal.timeout(60_000));
      line.forget(200);
    }
    expect(await ended).toBe(0);
    const twice = await judge('forgotten', before, `all connections forgotten ${TENTHS.length} times`);
    expect(twice).toBeLessThanOrEqual(TENTHS.length * CHUNK_SIZE);
  });

  test('by a line that is down for longer than a server may be silent', { timeout: 300_000 }, async () => {
    const before = await server.sent();
    const { ended } = begin('down', '--read-timeout', '1s');
    for (const _tenth of TENTHS) {
      await line.whenCarried(line.carried + LAYER / 10, AbortSignal.timeout(60_000));
      line.down(1500);
    }
    expect(await ended).toBe(0);
    const twice = await judge('down', before, `down ${TENTHS.length} times`);
    expect(twice).toBeLessThanOrEqual(TENTHS.length * CHUNK_SIZE);
  });
});
