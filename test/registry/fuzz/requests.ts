// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import { descriptorOf, EMPTY_JSON, manifestOf } from '../content.ts';

/** A request as it goes over the wire. */
export interface FuzzRequest {
  method: string;
  /** Path and query. */
  target: string;
  headers: [name: string, value: string][];
  body: Buffer;
  /** How the body's length is told: truly, by chunks, or by this wrong number. */
  framing: 'length' | 'chunked' | number;
}

/** Content that requests are about; the fuzz pushes `LAYER` and its manifest first, so that some of them hit. */
export const LAYER = 'a layer';
export const MANIFEST = manifestOf([LAYER]);

const DIGESTS = [
  digestOf(LAYER),
  digestOf(EMPTY_JSON),
  digestOf(MANIFEST),
  digestOf('nothing here'),
  digestOf(LAYER, 'sha512'),
  `sha256:${'0'.repeat(64)}`,
  'sha256:',
  `sha256:${'g'.repeat(64)}`,
  `md5:${'0'.repeat(32)}`,
];
const visible = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const anything = fc.oneof(visible, fc.string({ unit: 'binary' }).map(encoded), fc.webSegment());

/** Each byte percent-encoded. */
function encoded(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

const digest = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...DIGESTS) }, { weight: 1, arbitrary: anything });
const repository = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('fuzz', 'fuzz/deep/er', 'fuzz/manifests/x', 'other') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '..',
      'a/../b',
      'a%2fb',
      '%2e%2e',
      'a//b',
      'A',
      '_tags',
      'x'.repeat(300),
      '%',
      '%zz',
      'a%00',
    ),
  },
  { weight: 1, arbitrary: anything },
);
const tag = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('t', 'latest', 'v1.0', '_x', 't'.repeat(128)) },
  { weight: 1, arbitrary: fc.constantFrom('t'.repeat(129), '.x', '-x', '..', '%2e%2e', 'a!') },
  { weight: 1, arbitrary: anything },
);
const upload = fc.oneof(fc.uuid(), fc.constantFrom('x', '..', 'x'.repeat(500)), anything);
const reference = fc.oneof(tag, digest);

const path = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(repository, reference).map(([name, what]) => `/v2/${name}/manifests/${what}`) },
  { weight: 3, arbitrary: fc.tuple(repository, digest).map(([name, what]) => `/v2/${name}/blobs/${what}`) },
  { weight: 3, arbitrary: repository.map((name) => `/v2/${name}/blobs/uploads/`) },
  { weight: 2, arbitrary: fc.tuple(repository, upload).map(([name, id]) => `/v2/${name}/blobs/uploads/${id}`) },
  { weight: 2, arbitrary: repository.map((name) => `/v2/${name}/tags/list`) },
  { weight: 2, arbitrary: fc.tuple(repository, digest).map(([name, what]) => `/v2/${name}/referrers/${what}`) },
  { weight: 1, arbitrary: fc.constantFrom('/', '/v2/', '/v2', '/v2/_catalog', '/healthz', '/readyz', '/metrics', '*') },
  { weight: 1, arbitrary: fc.array(anything, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`) },
);

const NUMBERS = ['0', '1', '-1', '1e9', '99999999999999999999', '0x10', '１', ' 1', ''];
const parameter = fc.oneof(
  fc.tuple(fc.constantFrom('digest', 'mount', 'last'), digest),
  fc.tuple(fc.constant('n'), fc.oneof(fc.constantFrom(...NUMBERS), anything)),
  fc.tuple(fc.constant('last'), fc.oneof(tag, repository)),
  fc.tuple(fc.constant('from'), repository),
  fc.tuple(fc.constant('tag'), tag),
  fc.tuple(fc.constantFrom('artifactType', 'digest-algorithm', 'ns', '__proto__', 'constructor'), anything),
);
const query = fc
  .array(parameter, { maxLength: 4 })
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`));

const RANGES = [
  'bytes=0-',
  'bytes=-1',
  'bytes=5-2',
  'bytes=99999999999999999999-',
  'bytes=0-0,2-3',
  '0-0',
  '0-6',
  '5-',
  '-',
  '-5-3',
  'x',
];
const MEDIA_TYPES = [
  MEDIA_TYPE.manifest,
  MEDIA_TYPE.index,
  `${MEDIA_TYPE.manifest}; charset=utf-8`,
  'text/plain',
  ';',
  '*/*',
];
const ETAGS = ['*', '"x"', `"${digestOf(MANIFEST)}"`, `W/"${digestOf(LAYER)}"`, ',,,'];
const header = fc.oneof(
  fc.tuple(fc.constantFrom('Range', 'Content-Range'), fc.oneof(fc.constantFrom(...RANGES), visible)),
  fc.tuple(fc.constantFrom('Content-Type', 'Accept'), fc.oneof(fc.constantFrom(...MEDIA_TYPES), visible)),
  fc.tuple(
    fc.constantFrom('If-Match', 'If-None-Match', 'If-Range', 'If-Modified-Since'),
    fc.oneof(fc.constantFrom(...ETAGS), visible),
  ),
  fc.tuple(fc.constantFrom('Authorization', 'Cookie', 'Accept-Encoding', 'Upgrade', 'Origin', 'X-Anything'), visible),
  // Another expectation Node refuses by itself, without a body.
  fc.constant<[string, string]>(['Expect', '100-continue']),
);

const body = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(Buffer.alloc(0), Buffer.from(LAYER), MANIFEST, EMPTY_JSON) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 2, arbitrary: fc.json().map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: brokenManifest() },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(5 * 1024 * 1024, ' ')) },
);

/** A manifest with one field that is something else. */
function brokenManifest(): fc.Arbitrary<Buffer> {
  const fields = [
    'schemaVersion',
    'mediaType',
    'config',
    'layers',
    'manifests',
    'subject',
    'annotations',
    'artifactType',
  ];
  const descriptor = descriptorOf(LAYER, MEDIA_TYPE.layer);
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(descriptor, [descriptor], { ...descriptor, size: -1 }, { ...descriptor, digest: 'sha256:..' }),
  );
  return fc.tuple(fc.constantFrom(...fields), value).map(([field, broken]) => manifestOf([LAYER], { [field]: broken }));
}

export const request: fc.Arbitrary<FuzzRequest> = fc.record({
  method: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE') },
    { weight: 1, arbitrary: fc.constantFrom('OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH') },
  ),
  // What cannot stand in a target would make it no request.
  target: fc.tuple(path, query).map((parts) => parts.join('').replaceAll(/[^!-~]+/g, encoded)),
  headers: fc.array(header, { maxLength: 4 }),
  body,
  framing: fc.oneof(
    { weight: 4, arbitrary: fc.constant('length' as const) },
    { weight: 2, arbitrary: fc.constant('chunked' as const) },
    { weight: 1, arbitrary: fc.nat({ max: 1000 }) },
  ),
});

/** For people: a counterexample's body may be megabytes. */
export function shown({ method, target, headers, body, framing }: FuzzRequest): string {
  const text = body.toString('latin1', 0, 500);
  return JSON.stringify({ method, target, headers, framing, bytes: body.length, text });
}

/** What goes over the wire for it. */
export function bytesOf({ method, target, headers, body, framing }: FuzzRequest): Buffer {
  const named = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const start = `${method} ${target} HTTP/1.1\r\nHost: fuzz\r\nConnection: close\r\n${named}`;
  if (framing !== 'chunked') {
    const length = framing === 'length' ? body.length : framing;
    return Buffer.concat([Buffer.from(`${start}Content-Length: ${length}\r\n\r\n`, 'latin1'), body]);
  }
  const chunk = body.length === 0 ? '' : `${body.length.toString(16)}\r\n${body.toString('latin1')}\r\n`;
  return Buffer.from(`${start}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`, 'latin1');
}

/** What is hardly a request: bytes, and requests with a part torn out, doubled, or overwritten. */
export const malformed: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      'GET /v2/\r\n\r\n',
      'GET /v2/ HTTP/9.9\r\n\r\n',
      'GET  /v2/ HTTP/1.1\r\n\r\n',
      'GET /v2/ HTTP/1.1\nHost: x\n\n',
      'GET /v2/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
      'PUT /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'PUT /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n',
      'PUT /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
      'PUT /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
      `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
      `GET /${'z'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    )
    .map((text) => Buffer.from(text, 'latin1')),
  fc.tuple(request, fc.nat(), fc.nat({ max: 40 }), fc.uint8Array({ maxLength: 40 })).map(([whole, at, torn, put]) => {
    const bytes = bytesOf(whole).subarray(0, 5000);
    const cut = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, cut), put, bytes.subarray(cut + torn)]);
  }),
);
