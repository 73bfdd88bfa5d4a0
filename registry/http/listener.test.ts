// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { SILENT } from '../logger.ts';
import { createRegistry, type Registry } from '../registry.ts';

let root: string;
let registry: Registry;
let port: number;
const logged: Record<string, unknown>[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'uk-listener-'));
  logged.length = 0;
  const logger = { ...SILENT, info: (fields: object) => void logged.push(fields as Record<string, unknown>) };
  registry = await createRegistry({ storage: { driver: 'filesystem', root }, logger, logRequests: true });
  ({ port } = await registry.listen({ host: '127.0.0.1', port: 0 }));
});
afterEach(async () => {
  await registry.close({ graceMs: 0 });
  await rm(root, { recursive: true });
});

function open(): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  return socket;
}

/** The answer to one request. */
async function ask(line: string, body = ''): Promise<string> {
  const socket = open();
  socket.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return text(socket);
}

describe('a request', () => {
  test('may name the whole URL, as to a proxy', async () => {
    const there = `http://127.0.0.1:${port}`;
    const push = `POST ${there}/v2/whole/blobs/uploads/?digest=${digestOf('bytes')}`;
    expect(await ask(push, 'bytes')).toMatch(/^HTTP\/1.1 201 /);
    expect(await ask(`GET HTTP://X/v2/whole/blobs/${digestOf('bytes')}`)).toMatch(
      /^HTTP\/1.1 200 [\s\S]*\r\n\r\nbytes$/,
    );
    expect(await ask(`GET ${there}/v2/_catalog?n=1`)).toMatch(/^HTTP\/1.1 200 /);
    expect(await ask(`GET ${there}/healthz`)).toMatch(/^HTTP\/1.1 200 /);
    expect(await ask(`GET ${there}`)).toMatch(/^HTTP\/1.1 404 /);
    expect(await ask(`GET ${there}?n=1`)).toMatch(/^HTTP\/1.1 404 /);
  });

  test.each(['OPTIONS *', 'GET //v2/', 'GET /v2', 'PUT /v2', 'GET /v2/%2e%2e/tags/list', 'GET x:y', 'GET /v2/#x'])(
    '%s has an answer, and never that of a failure',
    async (line) => {
      expect(await ask(line)).toMatch(/^HTTP\/1.1 (?:200|400|404|405) /);
    },
  );

  test('that was broken off is logged with the client whose it was', async () => {
    const socket = open();
    socket.write(`POST /v2/x/blobs/uploads/?digest=${digestOf('a')} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na`);
    await once(socket, 'connect');
    await vi.waitFor(async () => expect(await ask('GET /metrics')).toMatch(/^uk_registry_requests_running 2$/m));
    socket.destroy();
    const line = await vi.waitFor(() => {
      const found = logged.find(({ method }) => method === 'POST');
      expect(found).toBeDefined();
      return found;
    });
    expect(line).toMatchObject({ whole: false, client: '127.0.0.1' });
  });

  test('with a method that nobody uses is not counted by itself', async () => {
    expect(await ask('PROPFIND /v2/')).toMatch(/^HTTP\/1.1 405 /);
    const metrics = await ask('GET /metrics');
    expect(metrics).toContain('uk_registry_requests_total{route="base",method="other",status="405"} 1');
    expect(metrics).not.toContain('PROPFIND');
  });
});

describe('many requests in one piece', () => {
  test('are answered one after the other', async () => {
    const requests = Array.from(
      { length: 50 },
      (_, at) => `GET /v2/${at === 49 ? '' : '_catalog'} HTTP/1.1\r\nHost: x\r\n`,
    );
    const socket = open();
    socket.write(`${requests.join('\r\n')}Connection: close\r\n\r\n`);
    const answers = (await text(socket)).split(/(?=HTTP\/1\.1 )/);
    expect(answers.map((answer) => answer.slice(9, 12))).toEqual(Array.from({ length: 50 }, () => '200'));
    expect(answers.at(-1)).toMatch(/\{\}$/);
  });

  test('are not begun while their client takes no answer, nor counted as running when it is gone', async () => {
    const bytes = Buffer.alloc(64 * 1024 * 1024);
    await ask(`POST /v2/large/blobs/uploads/?digest=${digestOf(bytes)}`, bytes.toString('latin1'));
    const socket = open();
    socket.pause();
    socket.write(`GET /v2/large/blobs/${digestOf(bytes)} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(100));
    await vi.waitFor(async () => {
      // With the one that asks.
      expect(await ask('GET /metrics')).toMatch(/^uk_registry_requests_running 2$/m);
    });
    socket.destroy();
    await vi.waitFor(async () => expect(await ask('GET /metrics')).toMatch(/^uk_registry_requests_running 1$/m));
  });
});
