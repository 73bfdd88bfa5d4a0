// SPDX-License-Identifier: Apache-2.0
// A registry that lies. Every case ends in an error of one line, and nothing of it has a name in the store.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, ImageError, MEDIA_TYPE, parseReference } from '../../image-format/index.ts';
import { type ContentStore, openContentStore } from '../../image-format/layout/index.ts';
import { openLine, openRemote, pullImage } from '../../image-format/remote/index.ts';
import { TestRegistry } from '../../image-format/remote/testing.ts';

let registry: TestRegistry;
/** Another host. Nothing that is for the registry may reach it. */
let stranger: TestRegistry;
let dir: string;
let store: ContentStore;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-hostile-'));
  store = await openContentStore(dir);
  registry = await TestRegistry.start();
  stranger = await TestRegistry.start('127.0.0.2');
});
afterEach(async () => {
  registry.intercept = () => undefined;
  registry.manifests.clear();
  registry.blobs.clear();
  expect(await store.list()).toEqual([]);
  await store.collect({ graceMs: -1000 });
});
afterAll(async () => {
  await registry.stop();
  await stranger.stop();
  await rm(dir, { recursive: true, force: true });
});

const CONFIG = JSON.stringify({ os: 'linux', architecture: 'amd64' });
const LAYER = 'a layer, or so it says '.repeat(50);
const unknown = (text: string, mediaType: string) => ({ mediaType, digest: digestOf(text), size: text.length });

/** An image that is as it should be. */
function parts() {
  const config = registry.putBlob(CONFIG, MEDIA_TYPE.config);
  const layers = [registry.putBlob(LAYER, MEDIA_TYPE.layer)];
  return { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers };
}
const image = (change: object = {}) => registry.putManifest('1', { ...parts(), ...change }, MEDIA_TYPE.manifest);
const raw = (text: string, mediaType: string = MEDIA_TYPE.manifest) => {
  parts();
  registry.manifests.set('1', { bytes: Buffer.from(text), mediaType });
};
const index = (...manifests: object[]) =>
  registry.putManifest('1', { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }, MEDIA_TYPE.index);
type Answer = (response: ServerResponse, request: IncomingMessage) => void;
/** Answers otherwise where a manifest, a blob or the layer is asked for. */
const answer = (part: 'manifests' | 'layer', how: Answer) => {
  image();
  registry.intercept = (request, response) => {
    const url = request.url ?? '';
    if (!url.includes(part === 'layer' ? digestOf(LAYER) : '/manifests/')) return false;
    how(response, request);
    return true;
  };
};
const layerHead = (headers: Record<string, string>, body: string | Buffer = LAYER, status = 200) =>
  answer('layer', (response) => void response.writeHead(status, headers).end(body));
const redirect = (to: string) => answer('layer', (response) => void response.writeHead(307, { location: to }).end());
const descriptor = (change: object) => {
  const { layers, ...rest } = parts();
  raw(JSON.stringify({ ...rest, layers: [{ ...layers[0], ...change }] }));
};

const CASES: [name: string, prepare: () => unknown, message: RegExp][] = [
  // Manifests
  ['no manifest', () => parts(), /does not have it \(404/],
  ['an empty manifest', () => raw(''), /JSON|empty/i],
  ['a manifest that is no JSON', () => raw('hello'), /JSON/i],
  ['a manifest that is cut', () => raw('{"schemaVersion": 2, "config"'), /JSON/i],
  ['a manifest that is a list', () => raw('[]'), /manifest/],
  ['a manifest that is null', () => raw('null'), /manifest/],
  ['a manifest of version 1', () => raw('{"schemaVersion":1}'), /schemaVersion|version/],
  ['a manifest without config', () => raw('{"schemaVersion":2,"layers":[]}'), /config/],
  ['a key twice', () => raw(JSON.stringify(parts()).replace('"layers"', '"layers":[],"layers"')), /layers/],
  ['a key in two cases', () => raw(JSON.stringify(parts()).replace('"layers"', '"Layers":[],"layers"')), /Layers/],
  ['a byte order mark', () => raw(`\ufeff${JSON.stringify(parts())}`), /byte order mark/i],
  [
    'text that is not UTF-8',
    () => {
      raw('');
      registry.manifests.set('1', {
        bytes: Buffer.from(JSON.stringify({ ...parts(), x: '\u00ff' }), 'latin1'),
        mediaType: MEDIA_TYPE.manifest,
      });
    },
    /not JSON/,
  ],
  ['too deep nesting', () => raw(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`), /level|nest|deep/i],
  ['5 MB of manifest', () => raw(' '.repeat(5_000_000)), /more than 4194304 bytes/],
  ['a manifest of another type', () => raw(JSON.stringify(parts()), 'image/png'), /not an image but image\/png/],
  ['an index called a manifest', () => raw('{"schemaVersion":2,"manifests":[]}'), /manifest/],
  ['another type inside than outside', () => image({ mediaType: MEDIA_TYPE.index }), /mediaType|media type/i],
  [
    'a login page',
    () => answer('manifests', (r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
    /web page/,
  ],
  [
    'a login page with 403',
    () => answer('manifests', (r) => void r.writeHead(403, { 'content-type': 'text/html' }).end('<html>')),
    /web page/,
  ],
  [
    'a digest that is not the manifest',
    () =>
      answer(
        'manifests',
        (r) =>
          void r
            .writeHead(200, { 'content-type': MEDIA_TYPE.manifest, 'docker-content-digest': digestOf('x') })
            .end('{}'),
      ),
    /has the digest/,
  ],
  ['500', () => answer('manifests', (r) => void r.writeHead(500).end('oops\u001b[2J')), /\(500: oops/],
  ['429 for ever', () => answer('manifests', (r) => void r.writeHead(429, { 'retry-after': '0' }).end()), /\(429\)/],
  ['403', () => answer('manifests', (r) => void r.writeHead(403).end()), /does not allow it \(403\)/],
  [
    '401 without a way to log in',
    () => answer('manifests', (r) => void r.writeHead(401).end()),
    /does not allow it \(401\)/,
  ],
  [
    '401 with an address that is none',
    () =>
      answer(
        'manifests',
        (r) => void r.writeHead(401, { 'www-authenticate': 'Bearer realm="file:///etc/passwd"' }).end(),
      ),
    /does not say where to log in/,
  ],
  ['a token that is none', () => token('{"token": 5}'), /holds no token/],
  ['a token with a line break', () => token('{"token": "a\\r\\nx: y"}'), /holds no token/],
  ['a status that means nothing', () => answer('manifests', (r) => void r.writeHead(204).end()), /\(204\)/],
  // Indexes
  ['an empty index', () => index(), /no image for linux on amd64/],
  [
    'an index for others',
    () => index({ ...image(), platform: { os: 'linux', architecture: 'arm64' } }),
    /linux\/arm64/,
  ],
  ['an index that names itself', () => index(unknown('x', MEDIA_TYPE.index)), /no image/],
  ['an index of what is not there', () => index(unknown('x', MEDIA_TYPE.manifest)), /does not have it \(404/],
  ['an index whose sizes lie', () => index({ ...image(), size: 5 }), /more than the 5 bytes/],
  [
    'an index of an index that is called a manifest',
    () => {
      const inner = registry.putManifest(
        'inner',
        { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [] },
        MEDIA_TYPE.index,
      );
      index({ ...inner, mediaType: MEDIA_TYPE.manifest });
    },
    /own mediaType is/,
  ],
  // Descriptors
  ['a digest that is a path', () => descriptor({ digest: 'sha256:../../../etc/passwd' }), /digest/],
  [
    'a digest of an algorithm that is not known',
    () => descriptor({ digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }),
    /digest/,
  ],
  ['a digest in capitals', () => descriptor({ digest: digestOf(LAYER).toUpperCase() }), /digest/],
  ['a negative size', () => descriptor({ size: -1 }), /size/],
  ['a size with a fraction', () => descriptor({ size: 1.5 }), /size/],
  ['a size that is text', () => descriptor({ size: '5' }), /size/],
  ['a size beyond all disks', () => descriptor({ size: Number.MAX_SAFE_INTEGER }), /needs .* left/],
  ['a size beyond all numbers', () => descriptor({ size: 1e300 }), /size/],
  [
    'a foreign layer',
    () => descriptor({ mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }),
    /foreign/,
  ],
  [
    'a layer of an unknown type',
    () => descriptor({ mediaType: 'application/x-surprise' }),
    /unknown type application\/x-surprise/,
  ],
  ['embedded data that is not true', () => descriptor({ data: 'aGVsbG8=' }), /data/],
  [
    'an image for another machine',
    () => image({ config: registry.putBlob('{"os":"linux","architecture":"s390x"}', MEDIA_TYPE.config) }),
    /s390x/,
  ],
  ['a config that is not there', () => image({ config: unknown('no', MEDIA_TYPE.config) }), /does not have it \(404/],
  // Blobs
  [
    'a layer that is not there',
    () => {
      image();
      registry.blobs.delete(digestOf(LAYER));
    },
    /does not have it \(404/,
  ],
  ['a layer of other bytes', () => layerHead({}, LAYER.replace('a', 'b')), /has the digest/],
  [
    'a layer that is longer',
    () => layerHead({ 'content-length': String(LAYER.length + 1) }, `${LAYER}x`),
    /has \d+ bytes, the manifest says/,
  ],
  [
    'a layer that is longer and does not say so',
    () =>
      answer('layer', (r) => {
        r.write(LAYER);
        r.end(LAYER);
      }),
    /more than the bytes that it was asked for/,
  ],
  ['a layer that never ends', () => answer('layer', endless), /more than the bytes that it was asked for/],
  [
    'a layer that is shorter',
    () => layerHead({ 'content-length': '5' }, LAYER.slice(0, 5)),
    /has 5 bytes, the manifest says/,
  ],
  [
    'a layer that is shorter and does not say so',
    () =>
      answer('layer', (r) => {
        r.write('a');
        r.end();
      }),
    /stops after/,
  ],
  [
    'a layer that is always cut',
    () =>
      answer('layer', (r) => {
        r.writeHead(200, { 'content-length': LAYER.length });
        r.write('a', () => r.destroy());
      }),
    /cut again and again/,
  ],
  ['nothing of a layer', () => layerHead({ 'content-length': '0' }, ''), /has 0 bytes, the manifest says/],
  ['a web page for a layer', () => layerHead({ 'content-type': 'text/html' }, LAYER), /a web page came instead/],
  ['a compressed answer', () => layerHead({ 'content-encoding': 'gzip' }, gzipSync(LAYER)), /encoded as gzip/],
  ['an answer in an unknown code', () => layerHead({ 'content-encoding': 'x-secret' }), /encoded as x-secret/],
  ['part of a layer that nobody asked for', () => layerHead({ 'content-range': 'bytes 5-9/10' }, 'x', 206), /\(206/],
  ['part of a layer, without a range', () => layerHead({}, 'x', 206), /\(206|another range/],
  ['503 for ever', () => layerHead({ 'retry-after': '0' }, '', 503), /\(503\)/],
  // Redirects
  ['a redirect in a ring', () => redirect(`/v2/a/b/blobs/${digestOf(LAYER)}`), /more than 5 redirects/],
  ['a redirect to a file', () => redirect('file:///etc/passwd'), /refers to "file:/],
  ['a redirect to a script', () => redirect('javascript:alert(1)'), /refers to "javascript:/],
  ['a redirect to nowhere', () => redirect('http://'), /refers to "http:\/\/"/],
  ['a redirect to a dead port', () => redirect('http://127.0.0.1:1/'), /no registry answers|ended/],
  [
    'a redirect to a host that lies',
    () => {
      stranger.intercept = (_q, r) => {
        r.end('x');
        return true;
      };
      redirect(`http://${stranger.host}/`);
    },
    /has 1 bytes, the manifest says/,
  ],
  [
    'a redirect to a host that wants a password',
    () => {
      stranger.intercept = (_q, r) => {
        r.writeHead(401, { 'www-authenticate': `Basic realm="x"` }).end();
        return true;
      };
      redirect(`http://${stranger.host}/`);
    },
    /does not allow it \(401\)/,
  ],
];

function token(text: string): void {
  image();
  registry.intercept = (request, response) => {
    if (request.url?.startsWith('/token')) response.end(text);
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end();
    return true;
  };
}

function endless(response: ServerResponse): void {
  const step = () => {
    if (!response.destroyed) response.write(Buffer.alloc(65_536, 'x'), () => setImmediate(step));
  };
  step();
}

async function pull(): Promise<ImageError | undefined> {
  const credentials = { username: 'me', password: 'hunter2' };
  const remote = openRemote({ registry: registry.host, attempts: 2, backoffMs: 1, credentials, env: {} });
  try {
    const line = openLine({ attempts: 2, backoffMs: 1 });
    await pullImage(parseReference(`${registry.host}/a/b:1`), remote, store, { line });
    return undefined;
  } catch (error) {
    return error as ImageError;
  } finally {
    await remote.close();
  }
}

describe(`a hostile registry, in ${CASES.length} ways`, () => {
  test.each(CASES)('%s', { timeout: 20_000 }, async (_name, prepare, message) => {
    prepare();
    const error = await pull();
    expect(error).toBeInstanceOf(ImageError);
    expect(error?.message).toMatch(message);
    expect(error?.message).toContain(registry.host);
    // One line that cannot move a terminal's cursor, and tells no secret.
    expect(error?.message).toMatch(/^[^\p{Cc}]+$/u);
    expect(`${error?.message} ${error?.hint}`).not.toContain('hunter2');
    expect(stranger.authorizations.every((given) => given === undefined)).toBe(true);
    // What is left in part has no owner, and is gone on with or thrown away by whoever pulls next.
    const left = await readdir(join(dir, 'partial')).catch(() => []);
    expect(left.filter((entry) => !entry.endsWith('.free'))).toEqual([]);
  });

  test('an image that is as it should be', async () => {
    image();
    expect(await pull()).toBeUndefined();
    await store.untag(`${registry.host}/a/b:1`);
  });
});
