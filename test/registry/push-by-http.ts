// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { MEDIA_TYPE } from '../../image-format/index.ts';

const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Pushes by the protocol as any client does, for tests of a running registry. */
export class HttpPusher {
  readonly #url: string;

  /** @param url of the registry, without a final slash */
  constructor(url: string) {
    this.#url = url;
  }

  async blob(repository: string, bytes: Uint8Array<ArrayBuffer> | string, mediaType: string) {
    const digest = digestOf(bytes);
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
    await this.#send('POST', path, bytes, 'application/octet-stream');
    return { mediaType, digest, size: Buffer.byteLength(bytes) };
  }

  async image(
    repository: string,
    tag: string,
    layers: readonly Uint8Array<ArrayBuffer>[],
    options: { labels?: Record<string, string>; annotations?: Record<string, string>; env?: string[] } = {},
  ) {
    const { labels = {}, annotations, env = [] } = options;
    const config = JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Entrypoint: ['/app'], Env: env, Labels: labels },
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
    });
    const document = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: await this.blob(repository, config, MEDIA_TYPE.config),
      layers: await Promise.all(layers.map((bytes) => this.blob(repository, bytes, MEDIA_TYPE.layer))),
      ...(annotations === undefined ? {} : { annotations }),
    };
    return this.manifest(repository, tag, document);
  }

  async manifest(repository: string, tag: string, document: { mediaType: string }) {
    const text = JSON.stringify(document);
    await this.#send('PUT', `/v2/${repository}/manifests/${tag}`, text, document.mediaType);
    return { mediaType: document.mediaType, digest: digestOf(text), size: text.length };
  }

  async #send(method: string, path: string, body: Uint8Array<ArrayBuffer> | string, type: string): Promise<void> {
    const response = await fetch(this.#url + path, { method, body, headers: { 'content-type': type } });
    const answered = await response.text();
    if (response.status !== 201) throw new Error(`${method} ${path}: ${response.status} ${answered}`);
  }
}
