// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Descriptor, digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import { openRemote } from '../../../image-format/remote/index.ts';
import { serve } from './served.ts';

export interface RandomImage {
  /** Repository and tag. */
  name: string;
  manifest: Descriptor;
  /** Config and layers. */
  blobs: Descriptor[];
  /** Bytes of all of it. */
  size: number;
}

/** Fills the storage of a registry with an image whose layers have these sizes. They are no archives. */
export async function pushRandomImage(storage: string, sizes: readonly number[]): Promise<RandomImage> {
  const server = await serve(storage, '127.0.0.1:0');
  const remote = openRemote({ registry: server.host, env: {} });
  try {
    const push = async (bytes: Buffer, mediaType: string): Promise<Descriptor> => {
      const blob = { mediaType, digest: digestOf(bytes), size: bytes.length };
      await remote.pushBlob('random/image', blob, () => Readable.from([bytes]));
      return blob;
    };
    const document = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };
    const config = await push(Buffer.from(JSON.stringify(document)), MEDIA_TYPE.config);
    const layers: Descriptor[] = [];
    for (const size of sizes) layers.push(await push(randomBytes(size), MEDIA_TYPE.layer));
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers }));
    await remote.pushManifest('random/image', '1', bytes, MEDIA_TYPE.manifest);
    const manifest = { mediaType: MEDIA_TYPE.manifest, digest: digestOf(bytes), size: bytes.length };
    const blobs = [config, ...layers];
    const size = blobs.reduce((sum, blob) => sum + blob.size, bytes.length);
    return { name: 'random/image:1', manifest, blobs, size };
  } finally {
    await remote.close();
    await server.stop();
  }
}
