// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { startRegistry } from '../clients/running-registry.ts';
import { call } from './call.ts';
import { errorCode, pusher } from './content.ts';

const folder = () => mkdtemp(join(tmpdir(), 'uk-faults-'));

describe('a full disk', () => {
  let root: string;
  let mounted = false;

  beforeAll(async () => {
    root = await folder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'uk-test', root], { stdio: 'ignore' });
      mounted = true;
    } catch {
      // Not root, or no right to mount: see below.
    }
  });
  afterAll(async () => {
    if (mounted) execFileSync('umount', [root]);
    await rm(root, { recursive: true, force: true });
  });

  test('is 507 with a reason, loses nothing, and is over when there is room again', async (context) => {
    if (!mounted) return context.skip('mounting a small file system needs root');
    const registry = await startRegistry({ storage: { driver: 'filesystem', root } });
    const send = (request: Parameters<typeof call>[1]) => call(registry.url, request);
    const push = pusher(registry.url);
    const image = await push.image('disk', 't', 'a layer that fits');
    const filler = randomBytes(3_000_000);
    const first = await push.blob('disk', filler);

    const large = randomBytes(5_000_000);
    const upload = await push.upload('disk');
    for (const request of [
      { method: 'POST', path: `/v2/disk/blobs/uploads/?digest=${digestOf(large)}`, body: large },
      { method: 'PATCH', path: upload, body: large },
    ]) {
      const answer = await send(request);
      expect([answer.status, errorCode(answer)]).toEqual([507, 'STORAGE_FULL']);
      expect(answer.body.toString()).toMatch(/no space is left/);
    }
    expect((await send({ path: `/v2/disk/blobs/${digestOf(large)}` })).status).toBe(404);
    expect((await send({ path: '/v2/disk/manifests/t' })).headers['docker-content-digest']).toBe(image);
    expect((await send({ path: `/v2/disk/blobs/${first}` })).body.equals(filler)).toBe(true);

    execFileSync('mount', ['-o', 'remount,size=40m', root]);
    const { status, headers } = await send({
      method: 'PATCH',
      path: upload,
      body: large,
      headers: { 'Content-Range': `0-${large.length - 1}` },
    });
    expect([status, headers.range]).toEqual([202, `0-${large.length - 1}`]);
    expect((await send({ method: 'PUT', path: `${upload}?digest=${digestOf(large)}` })).status).toBe(201);
    expect((await send({ path: `/v2/disk/blobs/${digestOf(large)}` })).body.equals(large)).toBe(true);
    await registry.close();
  });
});

describe('a disk that goes away', () => {
  test('is 5xx with a reason, and over when it is back', async () => {
    const registry = await startRegistry();
    await pusher(registry.url).image('away', 't', 'layer');
    const objects = join(registry.root, 'objects');
    await rename(objects, `${objects}-away`);
    await writeFile(objects, 'no folder');
    const push = { method: 'POST', path: `/v2/away/blobs/uploads/?digest=${digestOf('x')}`, body: 'x' };
    for (const request of [{ path: '/v2/away/manifests/t' }, { path: '/v2/away/tags/list' }, push]) {
      const answer = await call(registry.url, request);
      expect([answer.status, errorCode(answer)]).toEqual([503, 'STORAGE_UNAVAILABLE']);
      expect(answer.headers['retry-after']).toBeDefined();
    }
    await rm(objects);
    await rename(`${objects}-away`, objects);
    expect((await call(registry.url, { path: '/v2/away/manifests/t' })).status).toBe(200);
    expect((await call(registry.url, push)).status).toBe(201);
    await registry.stop();
  });

  test('in the middle of a blob cuts the answer, which is no blob to anybody', async () => {
    const registry = await startRegistry();
    const bytes = randomBytes(2_000_000);
    const digest = await pusher(registry.url).blob('cut', bytes);
    const [name = ''] = await readdir(join(registry.root, 'objects/data'));
    await truncate(join(registry.root, 'objects/data', name), 1_500_000);
    await expect(call(registry.url, { path: `/v2/cut/blobs/${digest}` })).rejects.toThrow(/aborted|hang up|terminated/);
    await pusher(registry.url).blob('cut', bytes);
    expect((await call(registry.url, { path: `/v2/cut/blobs/${digest}` })).body.equals(bytes)).toBe(true);
    await registry.stop();
  });
});

describe('the server', () => {
  /** Until the server has begun to write an upload's bytes. */
  const underWay = (root: string) =>
    expect.poll(() => readdir(join(root, 'partial/data')).catch(() => []), { interval: 5 }).toHaveLength(1);

  test('that cannot listen says why', async () => {
    const first = await startRegistry();
    const root = await folder();
    const second = await createRegistry({ storage: { driver: 'filesystem', root } });
    const port = Number(new URL(first.url).port);
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining(`127.0.0.1:${port}: another program listens there`),
    });
    await expect(second.listen({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    await second.close();
    await rm(root, { recursive: true });
    await first.stop();
  });

  test('ends requests that are under way, and takes no more', async () => {
    const registry = await startRegistry();
    const bytes = randomBytes(300_000);
    const upload = await pusher(registry.url).upload('ending');
    const { port } = new URL(registry.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.setEncoding('latin1');
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    const path = `${upload}?digest=${digestOf(bytes)}`;
    socket.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, 100_000));
    await underWay(registry.root);
    const closed = registry.close();
    await expect.poll(() => call(registry.url, { path: '/v2/' }).catch(() => 'refused')).toBe('refused');
    socket.write(bytes.subarray(100_000));
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1.1 201 /);
    await closed;
    await registry.stop();
  });

  test('cuts requests that do not end within the grace time', async () => {
    const root = await folder();
    const registry = await createRegistry({ storage: { driver: 'filesystem', root } });
    const { url, port } = await registry.listen({ host: '127.0.0.1', port: 0 });
    const upload = await pusher(url).upload('never');
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`PATCH ${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nnever more`);
    await underWay(root);
    await registry.close({ graceMs: 50 });
    socket.destroy();
    await rm(root, { recursive: true });
  });
});
