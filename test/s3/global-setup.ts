// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { Ceph, CREDENTIALS } from './ceph/cluster.ts';
import { type TestServer, VARIABLES } from './server.ts';

/** Before the tests of a run: an S3 server, unless the environment names one, and a bucket. After them both are gone. */
export default async function setup(): Promise<() => Promise<void>> {
  const ceph = process.env[VARIABLES.endpoint] === undefined ? await startCeph() : undefined;
  const server: TestServer = {
    endpoint: ceph?.endpoint ?? process.env[VARIABLES.endpoint] ?? '',
    accessKeyId: process.env[VARIABLES.accessKeyId] ?? CREDENTIALS.accessKeyId,
    secretAccessKey: process.env[VARIABLES.secretAccessKey] ?? CREDENTIALS.secretAccessKey,
    region: process.env[VARIABLES.region] ?? 'us-east-1',
    bucket: `uk-test-${randomUUID()}`,
  };
  const { accessKeyId, secretAccessKey, endpoint, region, bucket } = server;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const [name, variable] of Object.entries(VARIABLES)) process.env[variable] = server[name as keyof TestServer];
  return async () => {
    await removeBucket(client, bucket);
    client.destroy();
    await ceph?.stop();
  };
}

async function startCeph() {
  const obstacle = Ceph.obstacle();
  if (obstacle !== undefined) {
    throw new Error(
      `the tests on S3 cannot start a server: ${obstacle}; name one by ${VARIABLES.endpoint} and the others`,
    );
  }
  console.log('starting an S3 server (the first time installs it, which takes about a minute)');
  const ceph = new Ceph();
  const { endpoint, started } = await ceph.start();
  // Whoever started it before wants it to go on.
  if (!started) return { endpoint, stop: async () => undefined };
  // Should this run be killed, it stops all the same.
  const guard = [join(import.meta.dirname, 'ceph.ts'), 'stop-behind', `${process.pid}`];
  const watching = spawn(process.execPath, guard, { detached: true, stdio: 'ignore' });
  watching.unref();
  return {
    endpoint,
    async stop() {
      watching.kill();
      await ceph.stop();
    },
  };
}

async function removeBucket(client: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    if (Contents.length === 0) break;
    const Objects = Contents.map(({ Key }) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
  }
  for (;;) {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    if (Uploads.length === 0) break;
    for (const { Key, UploadId } of Uploads) {
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    }
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
}
