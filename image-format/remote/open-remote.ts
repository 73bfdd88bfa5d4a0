// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { manifestIdentifier, type Reference } from '../reference.ts';
import { Authorizer } from './authorization/authorizer.ts';
import { downloadBlob } from './blob-download.ts';
import { uploadBlob } from './blob-upload.ts';
import { endpointOf } from './endpoint.ts';
import { requestBlob } from './fetch/blob-answer.ts';
import type { BlobAnswer, Range } from './fetch/blob-range.ts';
import { describeManifest, headDescriptor, MANIFEST_ACCEPT, readManifest } from './manifest-answer.ts';
import type { Abortable, BlobPush, RemoteOptions, RemoteRegistry } from './remote.ts';
import { Session } from './session.ts';
import { listRepositories, listTags, readPage } from './tag-list.ts';
import { networkError, Transport } from './transport.ts';

/** A client of one registry. Nothing is sent before the first request. */
export function openRemote(options: RemoteOptions): RemoteRegistry {
  const { registry, plainHttp, ca, credentials, userAgent = 'uk' } = options;
  const { attempts = 5, backoffMs = 200, readTimeoutMs = 60_000 } = options;
  const env = options.env ?? process.env;
  const { host } = options;
  const endpoint = host?.base ?? new URL('/v2', endpointOf(registry, plainHttp));
  const transport = new Transport(endpoint, { ...host, ca: host?.ca ?? ca, env });
  const now = () => Date.now();
  const authorizer = new Authorizer({ registry, endpoint, transport, credentials, env, userAgent, now });
  const repetition = { attempts, backoffMs, readTimeoutMs };
  const session = new Session({ registry, endpoint, transport, authorizer, userAgent, ...repetition, host });
  return new Remote(session);
}

class Remote implements RemoteRegistry {
  readonly registry: string;
  readonly url: string;
  readonly #session: Session;
  readonly #endpoint: URL;

  constructor(session: Session) {
    this.registry = session.options.registry;
    this.url = session.options.endpoint.origin;
    this.#session = session;
    this.#endpoint = session.options.endpoint;
  }

  async resolve(reference: Reference, options: Abortable = {}): Promise<Descriptor> {
    const { repository } = reference;
    const identifier = manifestIdentifier(reference);
    const answer = await this.#session.call({
      method: 'HEAD',
      url: this.#url(repository, 'manifests', identifier),
      headers: { accept: MANIFEST_ACCEPT },
      scope: pull(repository),
      expect: [200],
      what: `resolving ${this.#name(repository, identifier)}`,
      signal: options.signal,
    });
    await answer.body.dump();
    // Not every registry says in a HEAD all there is to say.
    const said = headDescriptor(answer, identifier);
    return said ?? (await this.fetchManifest(repository, identifier, options)).descriptor;
  }

  async fetchManifest(
    repository: string,
    identifier: string,
    options: Abortable = {},
  ): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
    const what = `pulling ${this.#name(repository, identifier)}`;
    const answer = await this.#session.call({
      method: 'GET',
      url: this.#url(repository, 'manifests', identifier),
      headers: { accept: MANIFEST_ACCEPT, 'accept-encoding': 'identity' },
      scope: pull(repository),
      expect: [200],
      what,
      signal: options.signal,
    });
    const bytes = await readManifest(answer, what, this.registry, options.signal);
    return { descriptor: describeManifest(answer, bytes, identifier, what), bytes };
  }

  fetchBlob(repository: string, descriptor: Descriptor, options: Abortable & { offset?: number } = {}): Readable {
    const chunks = downloadBlob(this.#session, {
      url: this.#url(repository, 'blobs', descriptor.digest),
      descriptor,
      scope: pull(repository),
      what: `pulling ${this.#name(repository, descriptor.digest)}`,
      offset: options.offset ?? 0,
      signal: options.signal,
    });
    return Readable.from(chunks, { objectMode: false, highWaterMark: 1024 * 1024 });
  }

  async fetchReferrers(repository: string, subject: Digest, options: Abortable = {}): Promise<Buffer> {
    const what = `asking for signatures of ${this.#name(repository, subject)}`;
    const answer = await this.#session.call({
      method: 'GET',
      url: this.#url(repository, 'referrers', subject),
      headers: { accept: MEDIA_TYPE.index, 'accept-encoding': 'identity' },
      scope: pull(repository),
      expect: [200],
      what,
      signal: options.signal,
    });
    return await readManifest(answer, what, this.registry, options.signal);
  }

  async openBlob(
    repository: string,
    descriptor: Descriptor,
    range: Range | undefined,
    options: Abortable = {},
  ): Promise<BlobAnswer> {
    return await requestBlob(this.#session, {
      url: this.#url(repository, 'blobs', descriptor.digest),
      descriptor,
      scope: pull(repository),
      what: `pulling ${this.#name(repository, descriptor.digest)}`,
      range,
      signal: options.signal,
    });
  }

  async hasBlob(repository: string, digest: Digest, options: Abortable = {}): Promise<boolean> {
    return await this.#hasBlob(repository, digest, pull(repository), options.signal);
  }

  async pushBlob(
    repository: string,
    descriptor: Descriptor,
    open: () => Readable,
    options: BlobPush = {},
  ): Promise<'exists' | 'mounted' | 'uploaded'> {
    const { mountFrom, signal } = options;
    const scope = [push(repository), ...(mountFrom === undefined ? [] : [pull(mountFrom)])].join(' ');
    return await uploadBlob(this.#session, {
      url: new URL(`${this.#endpoint.pathname}/${repository}/blobs/uploads/`, this.#endpoint),
      descriptor,
      scope,
      what: `pushing ${this.#name(repository, descriptor.digest)}`,
      open,
      exists: () => this.#hasBlob(repository, descriptor.digest, scope, signal),
      options,
    });
  }

  async pushManifest(
    repository: string,
    identifier: string,
    bytes: Uint8Array,
    mediaType: string,
    options: Abortable = {},
  ): Promise<Digest> {
    const digest = digestOf(bytes);
    const what = `pushing ${this.#name(repository, identifier)}`;
    const answer = await this.#session.call({
      method: 'PUT',
      url: this.#url(repository, 'manifests', identifier),
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: Buffer.from(bytes),
      scope: push(repository),
      expect: [200, 201],
      what,
      signal: options.signal,
    });
    await answer.body.dump();
    const stored = answer.headers['docker-content-digest'];
    if (stored?.startsWith('sha256:') && stored !== digest) {
      throw new ImageError(
        'DIGEST_MISMATCH',
        `${what}: the registry has stored something else: ${stored}, not ${digest}`,
      );
    }
    return digest;
  }

  async listTags(repository: string, options: Abortable = {}): Promise<string[]> {
    return await listTags(this.#session, repository, pull(repository), options.signal);
  }

  async checkLogin({ signal }: Abortable = {}): Promise<boolean> {
    const what = `logging in to ${this.registry}`;
    const { authorizer } = this.#session.options;
    const url = new URL(`${this.#endpoint.pathname}/`, this.#endpoint);
    const answer = await this.#session.call({ method: 'GET', url, scope: '', expect: [200], what, signal });
    await answer.body.dump();
    return authorizer.header('') !== undefined;
  }

  async listRepositories(options: Abortable = {}): Promise<string[]> {
    return await listRepositories(this.#session, options.signal);
  }

  async fetchJson(path: string, { signal }: Abortable = {}): Promise<unknown> {
    const what = `asking ${this.registry} for ${path.split('?')[0]}`;
    const answer = await this.#session.call({
      method: 'GET',
      url: new URL(path, this.#endpoint),
      headers: { accept: 'application/json' },
      scope: '',
      expect: [200, 202, 404, 405],
      what,
      signal,
    });
    const text = await readPage(answer.body, what).catch((error) => {
      throw networkError(error, this.#endpoint, signal);
    });
    try {
      const json: unknown = JSON.parse(text);
      if (answer.status < 300) return json;
      // Our registry names what it does not hold; others know nothing of the path.
      const known = errorIn(json);
      if (known !== undefined) throw new ImageError('NOT_FOUND', `${what}: ${known}`);
      return undefined;
    } catch (error) {
      if (error instanceof ImageError) throw error;
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#session.options.transport.close();
  }

  async #hasBlob(repository: string, digest: Digest, scope: string, signal: AbortSignal | undefined): Promise<boolean> {
    const answer = await this.#session.call({
      method: 'HEAD',
      url: this.#url(repository, 'blobs', digest),
      scope,
      expect: [200, 404],
      what: `looking for ${this.#name(repository, digest)}`,
      signal,
    });
    await answer.body.dump();
    return answer.status === 200;
  }

  /** Names and identifiers hold no characters that would need escaping: the reference's grammar is that of paths. */
  #url(repository: string, kind: 'manifests' | 'blobs' | 'referrers', identifier: string): URL {
    const url = new URL(this.#endpoint);
    url.pathname += `/${repository}/${kind}/${identifier}`;
    const namespace = this.#session.options.host?.namespace;
    if (namespace !== undefined) url.searchParams.set('ns', namespace);
    return url;
  }

  #name(repository: string, identifier: string): string {
    return `${this.registry}/${repository}${identifier.includes(':') ? '@' : ':'}${identifier}`;
  }
}

function errorIn(json: unknown): string | undefined {
  const [first] = (json as { errors?: { code?: unknown; message?: unknown }[] } | null)?.errors ?? [];
  const isOurs = first?.code === 'NAME_UNKNOWN' || first?.code === 'MANIFEST_UNKNOWN';
  return isOurs && typeof first.message === 'string' ? first.message.replace(/\p{C}+/gu, ' ').slice(0, 300) : undefined;
}

function pull(repository: string): string {
  return `repository:${repository}:pull`;
}

function push(repository: string): string {
  return `repository:${repository}:pull,push`;
}
