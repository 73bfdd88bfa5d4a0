// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Descriptor } from '../../descriptor.ts';
import { type ContentStore, openContentStore } from '../../layout/index.ts';
import { MEDIA_TYPE } from '../../media-types.ts';
import { parseReference } from '../../reference.ts';
import { openLine, openSource, pullImage } from '../index.ts';
import { TestRegistry } from '../testing.ts';
import { findHosts } from './find-hosts.ts';

let dir: string;
let store: ContentStore;
let origin: TestRegistry;
let mirror: TestRegistry;
let other: TestRegistry;
let manifest: Descriptor;
let layer: Descriptor;
const bytes = randomBytes(300_000);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-mirrors-'));
  store = await openContentStore(join(dir, 'store'));
  // Three hosts: an address of its own each.
  [origin, mirror, other] = await Promise.all([
    TestRegistry.start('127.0.0.1'),
    TestRegistry.start('127.0.0.2'),
    TestRegistry.start('127.0.0.3'),
  ]);
  for (const registry of [origin, mirror, other]) {
    const config = registry.putBlob('{}', MEDIA_TYPE.config);
    layer = registry.putBlob(bytes, MEDIA_TYPE.layer);
    const document = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers: [layer] };
    manifest = registry.putManifest('1', document, MEDIA_TYPE.manifest);
  }
});
afterEach(async () => {
  await Promise.all([origin, mirror, other].map((registry) => registry.stop()));
  await rm(dir, { recursive: true, force: true });
});

async function hosts(text: string, name = origin.host): Promise<void> {
  await mkdir(join(dir, 'hosts', name), { recursive: true });
  await writeFile(join(dir, 'hosts', name, 'hosts.toml'), text);
}
async function pull(): Promise<void> {
  const options = { registry: origin.host, hostsFolder: join(dir, 'hosts'), backoffMs: 1, attempts: 2, env: {} };
  const source = await openSource(options);
  try {
    const reference = parseReference(`${origin.host}/a/b:1`);
    const { descriptor } = await pullImage(reference, source, store, { line: openLine({ backoffMs: 1, attempts: 5 }) });
    expect(descriptor.digest).toBe(manifest.digest);
    expect((await store.read(layer.digest)).equals(bytes)).toBe(true);
  } finally {
    await source.close();
  }
}
const two = () => `[host."http://${mirror.host}"]\n[host."http://${other.host}"]\n`;

describe('mirrors', () => {
  test('are asked in their order, and told for whom', async () => {
    await hosts(two());
    await pull();
    expect(mirror.requests).toContain(`GET /v2/a/b/manifests/1?ns=${encodeURIComponent(origin.host)}`);
    expect([other.requests, origin.requests]).toEqual([[], []]);
  });

  test('what one lacks comes from the next: 404, 5xx, a login that is refused, a web page', async () => {
    await hosts(two());
    for (const status of [404, 500, 503, 401, 403, 429]) {
      mirror.intercept = (request, response) => {
        if (!request.url?.includes('/blobs/')) return false;
        response.writeHead(status).end();
        return true;
      };
      await pull();
      await rm(join(dir, 'store'), { recursive: true });
      store = await openContentStore(join(dir, 'store'));
    }
    expect(other.requests.length).toBeGreaterThan(0);
    expect(origin.requests).toEqual([]);
  });

  test('wrong bytes are thrown away, and come from the next', async () => {
    await hosts(two());
    mirror.blobs.set(layer.digest, randomBytes(bytes.length));
    await pull();
    expect(other.requests.some((request) => request.includes(layer.digest))).toBe(true);
  });

  test('a wrong manifest comes from the next', async () => {
    await hosts(two());
    mirror.intercept = (request, response) => {
      if (!request.url?.includes('/manifests/')) return false;
      response.writeHead(200, { 'content-type': MEDIA_TYPE.manifest, 'docker-content-digest': manifest.digest });
      response.end('{}');
      return true;
    };
    await pull();
  });

  test('one that is cut again and again is left, and what it has sent is kept', async () => {
    await hosts(two());
    mirror.intercept = (request, response) => {
      if (!request.url?.includes(layer.digest)) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 262_144), () => setTimeout(() => response.destroy(), 30));
      return true;
    };
    await pull();
  });

  test('a dead one costs one attempt, not one a blob', async () => {
    let connections = 0;
    const dead = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((done) => dead.listen(0, '127.0.0.4', done));
    const { port } = dead.address() as { port: number };
    await hosts(`[host."http://127.0.0.4:${port}"]\n${two()}`);
    await pull();
    dead.close();
    expect(connections).toBe(1);
  });

  test('without the capability to resolve it is not asked for tags', async () => {
    await hosts(`[host."http://${mirror.host}"]\ncapabilities = ["pull"]\n`);
    await pull();
    expect(mirror.requests.every((request) => request.includes('/blobs/'))).toBe(true);
    expect(origin.requests).toEqual(['GET /v2/a/b/manifests/1']);
  });

  test.each([
    ['another server', () => `server = "http://${other.host}"\n`],
    ['no right to pull', () => 'capabilities = []\n'],
  ])('the registry itself is not asked where the file says %s', async (_what, head) => {
    await hosts(`${head()}[host."http://${mirror.host}"]\n`);
    for (const registry of [mirror, other]) registry.blobs.delete(layer.digest);
    await expect(pull()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(origin.requests).toEqual([]);
  });

  test('the last error is told, with what the others said', async () => {
    await hosts(two());
    for (const registry of [origin, mirror, other]) registry.manifests.clear();
    const error = await pull().catch((cause) => cause);
    expect(error.message).toContain(`pulling ${origin.host}/a/b:1`);
    expect(error.message).toContain(`before that, ${mirror.host}: `);
    expect(error.message.split('\n')).toHaveLength(1);
  });

  test('credentials and headers go to the host that they are for', async () => {
    await hosts(`[host."http://${mirror.host}"]\n[host."http://${mirror.host}".header]\nx-site = "edge-7"\n`);
    const seen: unknown[] = [];
    mirror.intercept = (request, response) => {
      seen.push(request.headers['x-site']);
      if (!request.url?.includes(layer.digest)) return false;
      response.writeHead(302, { location: `http://${other.host}${request.url}` }).end();
      return true;
    };
    other.intercept = (request) => {
      expect(request.headers['x-site']).toBeUndefined();
      return undefined;
    };
    await pull();
    expect(seen.every((value) => value === 'edge-7')).toBe(true);
    expect(other.requests).toHaveLength(1);
  });
});

describe('hosts.toml', () => {
  const find = async (name = 'r.example:5000') => await findHosts(name, { folder: join(dir, 'hosts'), env: {} });

  test('is looked for by host and port, and for all others', async () => {
    expect(await find()).toBeUndefined();
    await hosts('', '_default');
    expect((await find())?.map(({ name }) => name)).toEqual(['r.example:5000']);
    await hosts('[host."https://m.example"]', 'r.example_5000_');
    expect((await find())?.map(({ name }) => name)).toEqual(['m.example', 'r.example:5000']);
    await hosts('server = "https://s.example"', 'r.example:5000');
    expect((await find())?.map(({ name }) => name)).toEqual(['s.example']);
  });

  test('is read as containerd reads it', async () => {
    await writeFile(join(dir, 'ca.pem'), 'PEM');
    await hosts(
      `server = "https://r.example:5000"
[host."https://m.example/v2/cache"]
  capabilities = ["pull", "resolve"]
  override_path = true
  skip_verify = true
  ca = "${join(dir, 'ca.pem')}"
  client = [["../../ca.pem", "../../ca.pem"]]
  dial_timeout = "3s"
[host."http://n.example:80/sub"]
`,
      'r.example:5000',
    );
    const [first, second, last] = (await find()) ?? [];
    expect(first).toMatchObject({ skipVerify: true, ca: 'PEM', connectMs: 3000, namespace: 'r.example:5000' });
    expect(first?.client).toEqual({ cert: 'PEM', key: 'PEM' });
    expect(first?.base.href).toBe('https://m.example/v2/cache');
    expect(second?.base.href).toBe('http://n.example/sub/v2');
    expect(last?.base.href).toBe('https://r.example:5000/v2');
    expect(last?.namespace).toBeUndefined();
  });

  test.each([
    ['what is no TOML', 'server = '],
    ['a field that is not known', 'fallback = true'],
    ['a capability that is not known', '[host."https://m"]\ncapabilities = ["run"]'],
    ['an address that is none', '[host."ftp://m"]'],
    ['a certificate that is not there', '[host."https://m"]\nca = "none.pem"'],
    ['a time that is none', '[host."https://m"]\ndial_timeout = "soon"'],
  ])('%s is refused, by its name', async (_what, text) => {
    await hosts(text, 'r.example:5000');
    await expect(find()).rejects.toMatchObject({
      code: 'MIRRORS_INVALID',
      message: expect.stringContaining('hosts.toml'),
    });
  });
});
