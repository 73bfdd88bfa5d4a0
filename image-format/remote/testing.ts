// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { digestOf } from '../digest.ts';

export type Exchange = (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean | undefined;

/** For tests: a registry in memory, as small as it gets, that can be made to misbehave. */
export class TestRegistry {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { bytes: Buffer; mediaType: string }>();
  /** `METHOD /path?query` of each request, in order. */
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** Called before anything else; whoever returns true has answered. */
  intercept: Exchange = () => undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      // Bodies that are cut off are part of the tests.
      const body = await buffer(request).catch(() => undefined);
      this.requests.push(`${request.method} ${request.url}`);
      this.authorizations.push(request.headers.authorization);
      if (body !== undefined && !this.intercept(request, response, body)) this.#answer(request, response, body);
    });
  }

  /** @param address a loopback address: another one is another host */
  static async start(address = '127.0.0.1'): Promise<TestRegistry> {
    const registry = new TestRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, address, resolve));
    return registry;
  }

  get host(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  putBlob(bytes: Uint8Array | string, mediaType = 'application/octet-stream') {
    const buffer = Buffer.from(bytes as Uint8Array);
    const digest = digestOf(buffer);
    this.blobs.set(digest, buffer);
    return { mediaType, digest, size: buffer.length };
  }

  putManifest(identifier: string, document: object, mediaType: string) {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const key of [identifier, digest]) this.manifests.set(key, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const url = new URL(request.url ?? '', 'http://x');
    const [, , kind, identifier = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(url.pathname) ?? [];
    const key = `${request.method} ${kind}`;
    if (key === 'POST blobs') {
      response.writeHead(202, { location: `${url.pathname}session?state=1` }).end();
    } else if (key === 'PUT blobs') {
      this.blobs.set(url.searchParams.get('digest') ?? '', body);
      response.writeHead(201).end();
    } else if (key === 'PUT manifests') {
      const mediaType = request.headers['content-type'] ?? '';
      for (const name of [identifier, digestOf(body)]) this.manifests.set(name, { bytes: body, mediaType });
      response.writeHead(201, { 'docker-content-digest': digestOf(body) }).end();
    } else if (kind === 'manifests') {
      this.#manifest(request, response, identifier);
    } else if (kind === 'blobs') {
      this.#blob(request, response, identifier);
    } else {
      notFound(response, 'NAME_UNKNOWN');
    }
  }

  #manifest(request: IncomingMessage, response: ServerResponse, identifier: string): unknown {
    const found = this.manifests.get(identifier);
    if (found === undefined) return notFound(response, 'MANIFEST_UNKNOWN');
    const headers = {
      'content-type': found.mediaType,
      'content-length': found.bytes.length,
      'docker-content-digest': digestOf(found.bytes),
    };
    return response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string): unknown {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return notFound(response, 'BLOB_UNKNOWN');
    const [, first = '-1', last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(first);
    const part = start < 0 ? bytes : bytes.subarray(start, last ? Number(last) + 1 : undefined);
    response.writeHead(start < 0 ? 200 : 206, {
      'content-length': part.length,
      etag: `"${digest}"`,
      ...(start < 0 ? {} : { 'content-range': `bytes ${start}-${start + part.length - 1}/${bytes.length}` }),
    });
    return response.end(request.method === 'HEAD' ? undefined : part);
  }
}

function notFound(response: ServerResponse, code: string): void {
  const body = JSON.stringify({ errors: [{ code, message: 'not known' }] });
  response.writeHead(404, { 'content-type': 'application/json' }).end(body);
}
