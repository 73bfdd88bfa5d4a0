// SPDX-License-Identifier: Apache-2.0
import { type Digest, type DigestAlgorithm, digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { type Answer, call } from './call.ts';

export const EMPTY_JSON = Buffer.from('{}');

export const descriptorOf = (bytes: Buffer | string, mediaType: string, algorithm: DigestAlgorithm = 'sha256') => ({
  mediaType,
  digest: digestOf(bytes, algorithm),
  size: Buffer.byteLength(bytes),
});

/** A manifest of a config `{}` and the layers given; `more` goes over its fields. */
export function manifestOf(layers: (Buffer | string)[], more: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: descriptorOf(EMPTY_JSON, MEDIA_TYPE.empty),
      layers: layers.map((layer) => descriptorOf(layer, MEDIA_TYPE.layer)),
      ...more,
    }),
  );
}

/** What tests do over and over, each step checked. */
export function pusher(url: string) {
  const expecting = (status: number, answer: Answer): Answer => {
    if (answer.status === status) return answer;
    throw new Error(`${answer.status} instead of ${status}: ${answer.body}`);
  };
  const blob = async (repository: string, bytes: Buffer | string, algorithm: DigestAlgorithm = 'sha256') => {
    const digest = digestOf(bytes, algorithm);
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
    expecting(201, await call(url, { method: 'POST', path, body: bytes }));
    return digest;
  };
  const manifest = async (
    repository: string,
    reference: string,
    bytes: Buffer,
    mediaType: string = MEDIA_TYPE.manifest,
  ) => {
    const path = `/v2/${repository}/manifests/${reference}`;
    expecting(201, await call(url, { method: 'PUT', path, body: bytes, headers: { 'Content-Type': mediaType } }));
    return digestOf(bytes);
  };
  return {
    blob,
    manifest,
    /** An image of one layer; its digest. */
    async image(repository: string, tag: string, layer: string, more: object = {}): Promise<Digest> {
      await blob(repository, EMPTY_JSON);
      await blob(repository, layer);
      return manifest(repository, tag, manifestOf([layer], more));
    },
    /** @returns the path of a new upload */
    async upload(repository: string): Promise<string> {
      const path = `/v2/${repository}/blobs/uploads/`;
      const { headers } = expecting(202, await call(url, { method: 'POST', path }));
      return headers.location ?? '';
    },
  };
}

export function errorCode(answer: Answer): string {
  return JSON.parse(answer.body.toString()).errors[0].code;
}
