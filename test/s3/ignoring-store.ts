// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type FaultProxy, faultProxy } from './fault-proxy.ts';
import { testServer } from './server.ts';

/**
 * A store that takes the conditions of writes, ignores them, and says that all went well, as many do: the real one with
 * a proxy before it that writes in its own name, without condition, what was to be written on one.
 */
export async function ignoringStore(ignored: readonly ('PUT' | 'DELETE')[]): Promise<FaultProxy> {
  const { endpoint, region, ...credentials } = testServer();
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  const proxy = await faultProxy(endpoint);
  const handle = async (incoming: IncomingMessage, answer: ServerResponse) => {
    const [, bucket = '', ...key] = new URL(incoming.url ?? '/', endpoint).pathname.split('/');
    const where = { Bucket: bucket, Key: decodeURIComponent(key.join('/')) };
    const body = await buffer(incoming);
    if (incoming.method === 'DELETE') {
      await client.send(new DeleteObjectCommand(where));
      answer.writeHead(204).end();
    } else {
      const { ETag } = await client.send(new PutObjectCommand({ ...where, Body: body }));
      answer.writeHead(200, { ETag, 'Content-Length': 0 }).end();
    }
  };
  proxy.fault = ({ method, headers }) => {
    const isConditional = headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
    return isConditional && ignored.some((one) => one === method) ? { handle } : undefined;
  };
  const close = proxy.close.bind(proxy);
  proxy.close = async () => {
    client.destroy();
    await close();
  };
  return proxy;
}
