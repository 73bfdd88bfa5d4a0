// SPDX-License-Identifier: Apache-2.0
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { clientOf } from './connection.ts';
import type { ResolvedOptions } from './options.ts';

/** Makes URLs by which whoever has them may read one object for a while. Nothing is asked of the store for it. */
export class Presigner {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(options: ResolvedOptions) {
    // Of its own, as clients may see the store under another name, which is part of what is signed.
    this.#client = clientOf(options, 1, options.publicEndpoint);
    this.#bucket = options.bucket;
  }

  /** @param path of the object */
  url(path: string, seconds: number): Promise<string> {
    // The store says what we would, whatever it has written down about the object.
    const input = { Bucket: this.#bucket, Key: path, ResponseContentType: 'application/octet-stream' };
    return getSignedUrl(this.#client, new GetObjectCommand(input), { expiresIn: seconds });
  }

  close(): void {
    this.#client.destroy();
  }
}
