// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type TestServer, VARIABLES } from './server.ts';

export default async function setup(): Promise<() => Promise<void>> {
  const server: TestServer = {
    endpoint: process.env[VARIABLES.endpoint] ?? '',
    accessKeyId: process.env[VARIABLES.accessKeyId] ?? 'labkey',
    secretAccessKey: process.env[VARIABLES.secretAccessKey] ?? 'labsecretlabsecret',
    region: process.env[VARIABLES.region] ?? 'us-east-1',
    bucket: `uk-test-${randomUUID()}`,
  };
  const { accessKeyId, secretAccessKey, endpoint, region } = server;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: server.bucket }));
  for (const [name, variable] of Object.entries(VARIABLES)) process.env[variable] = server[name as keyof TestServer];
  return async () => {
    client.destroy();
  };
}
