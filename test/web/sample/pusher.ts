// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import { type LayerEntry, writeLayer } from '../../../image-format/layers/index.ts';
import { MemoryStore } from '../../../image-format/layers/testing.ts';

export interface Pushed {
  mediaType: string;
  digest: Digest;
  size: number;
  annotations?: Record<string, string>;
}

export interface Layered extends Pushed {
  diffId: Digest;
}

/** Path to content; an object says more than that. */
export type Files = Record<string, string | Buffer | Partial<LayerEntry>>;

export interface ImageOptions {
  config?: Record<string, unknown>;
  history?: Record<string, unknown>[];
  annotations?: Record<string, string>;
  created?: string;
  architecture?: string;
}

/** Pushes to a registry that runs, by plain requests. */
export class HttpPusher {
  readonly #url: string;
  readonly #sent = new Set<string>();

  constructor(url: string) {
    this.#url = url;
  }

  async blob(repository: string, bytes: Buffer | string, mediaType: string): Promise<Pushed> {
    const body = Buffer.from(bytes);
    const digest = digestOf(body);
    if (!this.#sent.has(`${repository} ${digest}`)) {
      await this.#send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, body);
      this.#sent.add(`${repository} ${digest}`);
    }
    return { mediaType, digest, size: body.length };
  }

  async layer(repository: string, files: Files, annotations?: Record<string, string>): Promise<Layered> {
    const store = new MemoryStore();
    const { diffId } = await writeLayer(entriesOf(files), store, {
      compression: 'zstd',
      level: 3,
      mtime: 1_780_000_000,
    });
    const blob = await this.blob(repository, store.blob, MEDIA_TYPE.layerZstd);
    return { ...blob, diffId, ...(annotations === undefined ? {} : { annotations }) };
  }

  /** A layer of any bytes. */
  async rawLayer(repository: string, tar: Buffer, mediaType: string = MEDIA_TYPE.layerGzip): Promise<Layered> {
    const bytes = mediaType === MEDIA_TYPE.layerGzip ? gzipSync(tar) : tar;
    return { ...(await this.blob(repository, bytes, mediaType)), diffId: digestOf(tar) };
  }

  async image(
    repository: string,
    tags: readonly string[],
    layers: readonly Layered[],
    { config = {}, history, annotations, created, architecture = 'amd64' }: ImageOptions = {},
  ): Promise<Pushed> {
    const document = {
      ...(created === undefined ? {} : { created }),
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      ...(history === undefined ? {} : { history }),
    };
    return this.manifest(repository, tags, {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: await this.blob(repository, JSON.stringify(document), MEDIA_TYPE.config),
      layers: layers.map(({ diffId: _, ...descriptor }) => descriptor),
      ...(annotations === undefined ? {} : { annotations }),
    });
  }

  /** @param parts media type and content of each layer */
  async artifact(
    repository: string,
    artifactType: string,
    parts: readonly { type: string; content: string; annotations?: Record<string, string> }[],
    {
      subject,
      annotations,
      tags = [],
    }: { subject?: Pushed; annotations?: Record<string, string>; tags?: string[] } = {},
  ): Promise<Pushed> {
    const layers: Pushed[] = [];
    for (const { type, content, annotations: own } of parts) {
      layers.push({
        ...(await this.blob(repository, content, type)),
        ...(own === undefined ? {} : { annotations: own }),
      });
    }
    return this.manifest(repository, tags, {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      artifactType,
      config: await this.blob(repository, '{}', MEDIA_TYPE.empty),
      layers,
      ...(subject === undefined ? {} : { subject: plain(subject) }),
      ...(annotations === undefined ? {} : { annotations }),
    });
  }

  async manifest(
    repository: string,
    tags: readonly string[],
    document: { mediaType: string; [name: string]: unknown },
  ): Promise<Pushed> {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const reference of tags.length === 0 ? [digest] : tags) {
      await this.#send('PUT', `/v2/${repository}/manifests/${reference}`, bytes, document.mediaType);
    }
    return { mediaType: document.mediaType, digest, size: bytes.length };
  }

  async remove(repository: string, reference: string): Promise<void> {
    await this.#send('DELETE', `/v2/${repository}/manifests/${reference}`);
  }

  async #send(method: string, path: string, body?: Buffer, type?: string): Promise<void> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      ...(type === undefined ? {} : { headers: { 'Content-Type': type } }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  }
}

function plain({ mediaType, digest, size }: Pushed) {
  return { mediaType, digest, size };
}

function* entriesOf(files: Files): Generator<LayerEntry> {
  for (const [path, file] of Object.entries(files)) {
    const base = { path, type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;
    if (typeof file === 'string' || Buffer.isBuffer(file)) yield { ...base, source: { bytes: Buffer.from(file) } };
    else yield { ...base, ...file };
  }
}
