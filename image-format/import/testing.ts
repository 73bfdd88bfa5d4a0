// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Descriptor } from '../descriptor.ts';
import { digestAlgorithm, digestHex, digestOf } from '../digest.ts';
import type { LayerEntry } from '../layers/index.ts';
import { writeTar } from '../layers/write-tar.ts';

/** For tests: a file of an archive. */
export function member(path: string, content: Uint8Array | string): LayerEntry {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, source: { bytes: Buffer.from(content as string) } };
}

/** For tests: a tar archive with its entries in this order. */
export async function tarOf(...entries: LayerEntry[]): Promise<Buffer> {
  return await buffer(writeTar(entries, 0));
}

/** For tests: a config of an image with these layers. */
export function configOf(diffIds: readonly string[], changes: object = {}): Buffer {
  const rootfs = { type: 'layers', diff_ids: diffIds };
  return Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Cmd: ['x'] }, rootfs, ...changes }),
  );
}

/** For tests: an image layout that may be wrong. */
export class TestLayout {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async put(path: string, content: Uint8Array | string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), content);
  }

  async blob(content: Uint8Array | string, mediaType: string): Promise<Descriptor> {
    const bytes = Buffer.from(content as string);
    const digest = digestOf(bytes);
    await this.put(`blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async json(document: object, mediaType: string): Promise<Descriptor> {
    return await this.blob(JSON.stringify(document), mediaType);
  }

  async index(...manifests: Descriptor[]): Promise<void> {
    await this.put('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
    await this.put('index.json', JSON.stringify({ schemaVersion: 2, manifests }));
  }
}
