// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { S3Options } from '../../registry/storage/s3/options.ts';

/** Where the tests of a run find the S3 server, and their bucket in it; `global-setup.ts` has made both. */
export const VARIABLES = {
  endpoint: 'UK_TEST_S3_ENDPOINT',
  accessKeyId: 'UK_TEST_S3_ACCESS_KEY',
  secretAccessKey: 'UK_TEST_S3_SECRET_KEY',
  region: 'UK_TEST_S3_REGION',
  bucket: 'UK_TEST_S3_BUCKET',
} as const;

export interface TestServer {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
  bucket: string;
}

export function testServer(): TestServer {
  const read = (name: string) => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`${name} is not set; run these tests by \`npm run test:s3\``);
    return value;
  };
  return {
    endpoint: read(VARIABLES.endpoint),
    accessKeyId: read(VARIABLES.accessKeyId),
    secretAccessKey: read(VARIABLES.secretAccessKey),
    region: process.env[VARIABLES.region] ?? 'us-east-1',
    bucket: read(VARIABLES.bucket),
  };
}

/** Options for a store in the bucket of this run, under a prefix that nobody has used before. */
export function freshPrefix(more: Partial<S3Options> = {}): S3Options {
  return { ...testServer(), pathStyle: true, prefix: randomUUID(), ...more };
}

/** Makes a bucket that outlives the run, or finds it. */
export async function makeBucket(name: string): Promise<void> {
  const { endpoint, region, ...credentials } = testServer();
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: name })).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'BucketAlreadyOwnedByYou')) throw error;
  });
  client.destroy();
}

/** What really is in the bucket, the driver's own objects included; the first thousand. */
export async function pathsBelow(prefix: string): Promise<string[]> {
  const { endpoint, region, bucket, ...credentials } = testServer();
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  client.destroy();
  return Contents.map(({ Key = '' }) => Key.slice(prefix.length));
}
