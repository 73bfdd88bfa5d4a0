// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { createBrowse } from '../browse/index.ts';
import { SILENT } from '../logger.ts';
import { Metrics } from '../operations/metrics.ts';
import { createService, type Service } from '../service/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { createApp } from './app.ts';
import { answerError } from './error-answer.ts';
import { HttpServer } from './server.ts';

const IDLE_MS = 100;
const TEXT = 'bytes that take long to sync';

describe('a connection on which nothing moves', () => {
  let root: string;
  let store: ObjectStore;
  let service: Service;
  let server: HttpServer;
  let port: number;
  /** Whether the answer of the first request left whole. */
  let ended: PromiseWithResolvers<boolean>;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'uk-server-'));
    store = await FilesystemStore.open({ root });
    const slow = new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (name === 'completeData') await wait(5 * IDLE_MS);
          return member.apply(target, args);
        };
      },
    });
    service = createService(slow);
    const metrics = new Metrics();
    const app = createApp(service, createBrowse({ store, service }), (...failed) =>
      answerError(...failed, { logger: SILENT, metrics }),
    );
    ended = Promise.withResolvers();
    server = new HttpServer(
      (request, response) => {
        response.on('close', () => ended.resolve(response.writableFinished));
        app(request, response);
      },
      { idleMs: IDLE_MS },
    );
    ({ port } = await server.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterEach(async () => {
    await server.close(0);
    await store.close();
    await rm(root, { recursive: true });
  });

  /** All that the server says to these bytes until one side ends. */
  async function converse(...lines: string[]): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('latin1');
    let said = '';
    socket.on('data', (data) => {
      said += data;
    });
    socket.on('error', () => undefined);
    socket.write(lines.join('\r\n'));
    await once(socket, 'close');
    return said;
  }
  const digest = digestOf(TEXT);
  const HEADERS = ['Host: x', 'Connection: close'];

  test('stays while the server makes a blob durable: its bytes in the same request', async () => {
    const request = `POST /v2/slow/blobs/uploads/?digest=${digest} HTTP/1.1`;
    expect(await converse(request, ...HEADERS, `Content-Length: ${TEXT.length}`, '', TEXT)).toMatch(/^HTTP\/1.1 201 /);
  });

  test('stays while the server makes a blob durable: its bytes sent before', async () => {
    const id = await service.uploads.start('slow');
    const source = (async function* () {
      yield Buffer.from(TEXT);
    })();
    await service.uploads.append('slow', id, { source });
    const request = `PUT /v2/slow/blobs/uploads/${id}?digest=${digest} HTTP/1.1`;
    expect(await converse(request, ...HEADERS, 'Content-Length: 0', '', '')).toMatch(/^HTTP\/1.1 201 /);
  });

  test('is cut in the middle of a body', async () => {
    const request = `POST /v2/slow/blobs/uploads/?digest=${digest} HTTP/1.1`;
    expect(await converse(request, ...HEADERS, 'Content-Length: 1000', '', TEXT)).not.toMatch(/ 201 /);
    await expect(service.blobs.get('slow', digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  test('is cut where the client does not take its answer', { timeout: 20_000 }, async () => {
    const large = Buffer.alloc(64 * 1024 * 1024);
    const source = (async function* () {
      yield large;
    })();
    await service.uploads.whole('slow', digestOf(large), { source });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`GET /v2/slow/blobs/${digestOf(large)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(await ended.promise).toBe(false);
    socket.destroy();
  });
});
