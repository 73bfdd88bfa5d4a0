// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { DeleteObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { type FaultProxy, faultProxy } from './fault-proxy.ts';
import { testServer } from './server.ts';

/**
 * The real store with a proxy before it that answers writes on condition in its own way: what is signed cannot be changed
 * on its way, so the proxy writes in its own name.
 */
async function oddStore(
  isOdd: (incoming: IncomingMessage) => boolean,
  condition: (incoming: IncomingMessage) => { IfMatch?: string } | 'refuse',
): Promise<FaultProxy> {
  const { endpoint, region, ...credentials } = testServer();
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  const proxy = await faultProxy(endpoint);
  const handle = async (incoming: IncomingMessage, answer: ServerResponse) => {
    const [, bucket = '', ...key] = new URL(incoming.url ?? '/', endpoint).pathname.split('/');
    const where = { Bucket: bucket, Key: decodeURIComponent(key.join('/')) };
    const body = await buffer(incoming);
    const wanted = condition(incoming);
    try {
      if (wanted === 'refuse') answer.writeHead(412).end();
      else if (incoming.method === 'DELETE') {
        await client.send(new DeleteObjectCommand({ ...where, ...wanted }));
        answer.writeHead(204).end();
      } else {
        const { ETag } = await client.send(new PutObjectCommand({ ...where, Body: body, ...wanted }));
        answer.writeHead(200, { ETag, 'Content-Length': 0 }).end();
      }
    } catch (error) {
      answer.writeHead((error instanceof S3ServiceException && error.$metadata.httpStatusCode) || 500).end();
    }
  };
  proxy.fault = (incoming) => (isOdd(incoming) ? { handle } : undefined);
  const close = proxy.close.bind(proxy);
  proxy.close = async () => {
    client.destroy();
    await close();
  };
  return proxy;
}

/** Takes the conditions of writes, ignores them, and says that all went well, as many stores do. */
export function ignoringStore(ignored: readonly ('PUT' | 'DELETE')[]): Promise<FaultProxy> {
  return oddStore(
    ({ method, headers }) => {
      const isConditional = headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
      return isConditional && ignored.some((one) => one === method);
    },
    () => ({}),
  );
}

/** Knows an entity tag only without its quotes, where HTTP wants them (Ceph 18 does so). */
export function bareTagStore(): Promise<FaultProxy> {
  return oddStore(
    ({ method, headers }) => (method === 'PUT' || method === 'DELETE') && headers['if-match'] !== undefined,
    ({ headers }) => (headers['if-match']?.includes('"') ? 'refuse' : { IfMatch: `"${headers['if-match']}"` }),
  );
}
