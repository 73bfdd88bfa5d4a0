// SPDX-License-Identifier: Apache-2.0
// TLS and proxies, with servers of our own.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openRemote } from './index.ts';
import { TestRegistry } from './testing.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)(`TLS${hasOpenssl ? '' : ' (skipped: no openssl)'}`, () => {
  let pem: { key: string; cert: string };
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'uk-tls-'));
    const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    pem = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
    await rm(dir, { recursive: true });
  });
  const tags = async (port: number, ca?: string) => {
    const options = { registry: `127.0.0.1:${port}`, plainHttp: false, backoffMs: 1, env: {} };
    const remote = openRemote({ ...options, ...(ca === undefined ? {} : { ca }) });
    return await remote.listTags('a').finally(async () => await remote.close());
  };

  test("an authority of one's own is trusted when it is named, and only then", async () => {
    const port = await listen(createHttpsServer(pem, (_request, response) => response.end('{"tags":["1"]}')));
    expect(await tags(port, pem.cert)).toEqual(['1']);
    await expect(tags(port)).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining(`the certificate of https://127.0.0.1:${port} is not trusted`),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  test('nothing leads from TLS to plain HTTP: no redirect, no place to log in', async () => {
    const answers = [
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      { status: 401, headers: { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token"' } },
    ];
    for (const { status, headers } of answers) {
      const server = createHttpsServer(pem, (_request, response) => response.writeHead(status, headers).end());
      await expect(tags(await listen(server), pem.cert)).rejects.toMatchObject({
        code: 'REGISTRY_ERROR',
        message: expect.stringMatching(/TLS/),
      });
    }
  });
});

describe('proxies', () => {
  /** A proxy that leads every tunnel, and every plain request, to one registry. */
  async function startProxy(registry: TestRegistry, seen: string[]): Promise<number> {
    const proxy = createHttpServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('{"tags":["plain"]}');
    });
    proxy.on('connect', (request, socket) => {
      seen.push(`CONNECT ${request.url}`);
      const [host, port] = registry.host.split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    return await listen(proxy);
  }

  test.each([
    [{ location: 'http://169.254.169.254/latest/meta-data/' }, 302, 'refers to http://169.254.169.254'],
    [{ location: 'http://localhost:8080/' }, 302, 'refers to http://localhost:8080'],
    [{ 'www-authenticate': 'Bearer realm="http://127.0.0.1:9/token"' }, 401, 'sent to http://127.0.0.1:9'],
  ])('lead to no address of this machine or its link, whatever a registry says: %j', async (headers, status, text) => {
    const registry = await TestRegistry.start();
    registry.intercept = (_request, response) => {
      response.writeHead(status, headers).end();
      return true;
    };
    const env = { HTTP_PROXY: `http://127.0.0.1:${await startProxy(registry, [])}` };
    const remote = openRemote({ registry: 'registry.invalid', plainHttp: true, attempts: 1, env, credentials: null });
    await expect(remote.fetchManifest('a', '1')).rejects.toMatchObject({ message: expect.stringContaining(text) });
    await remote.close();
    await registry.stop();
  });

  test('are used for hosts elsewhere, and not for loopback or what is excepted', async () => {
    const registry = await TestRegistry.start();
    const answer: TestRegistry['intercept'] = (_request, response) => {
      response.end('{"tags":["reached"]}');
      return true;
    };
    registry.intercept = answer;
    const seen: string[] = [];
    const env = { HTTP_PROXY: `http://127.0.0.1:${await startProxy(registry, seen)}`, NO_PROXY: 'excepted.invalid' };
    const options = { plainHttp: true, backoffMs: 1, attempts: 1, env };
    const tags = async (host: string) => {
      const remote = openRemote({ ...options, registry: host });
      return await remote.listTags('a').finally(async () => await remote.close());
    };
    expect((await tags('registry.invalid')).length).toBe(1);
    expect(seen).toEqual([expect.stringContaining('registry.invalid')]);
    expect(await tags(registry.host)).toEqual(['reached']);
    await expect(tags('excepted.invalid')).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(seen).toHaveLength(1);
    await registry.stop();
  });
});
