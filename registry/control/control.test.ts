// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SILENT } from '../logger.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { FilesystemStore } from '../storage/filesystem/index.ts';
import { askToCollect } from './control-client.ts';
import { ControlServer } from './control-server.ts';

const REQUEST = { dryRun: true, takeOver: false, graceMs: 0, settleMs: 0, uploadIdleMs: 0 };

let root: string;
let store: ObjectStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-control-'));
  store = await FilesystemStore.open({ root });
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true });
});

describe('the socket in the storage folder', () => {
  test('is its owner’s alone from its first moment, whatever the process lets others do', async () => {
    const before = process.umask(0);
    const control = new ControlServer(store, SILENT);
    try {
      await control.listen(root);
      expect((await stat(join(root, 'control.sock'))).mode & 0o077).toBe(0);
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(before);
    }
    expect(await askToCollect(root, REQUEST)).toMatchObject({ outcome: 'finished', dryRun: true });
    await control.close();
    expect(await askToCollect(root, REQUEST)).toBeUndefined();
  });

  test('keeps no server from ending, though an asker stopped in the middle of its request', async () => {
    const control = new ControlServer(store, SILENT);
    await control.listen(root);
    const socket = connect(join(root, 'control.sock'));
    socket.on('error', () => undefined);
    socket.write('POST /collect HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n{');
    // The server says so when the request has begun.
    await once(socket, 'data');
    const ended = once(socket, 'close');
    await control.close();
    await ended;
  });

  test('tells an asker whose server was killed what happened', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify({ progress: { stage: 'uploads', counts: {} } })}\n`);
    });
    server.listen(join(root, 'control.sock'));
    await once(server, 'listening');
    const asking = askToCollect(root, REQUEST, { onProgress: () => server.closeAllConnections() });
    await expect(asking).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    server.close();
  });

  test('tells an asker who interrupts that it was interrupted', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify({ progress: { stage: 'uploads', counts: {} } })}\n`);
    });
    server.listen(join(root, 'control.sock'));
    await once(server, 'listening');
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('interrupted'));
    await expect(askToCollect(root, REQUEST, { signal: controller.signal, onProgress })).rejects.toThrow('interrupted');
    server.close();
  });
});
