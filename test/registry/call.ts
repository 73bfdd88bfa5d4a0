// SPDX-License-Identifier: Apache-2.0
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Call {
  method?: string;
  /** Sent as it is: no client in between tidies it up. */
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: Buffer | string;
  /** Send the body chunked, in these pieces, and not with a length. */
  chunks?: readonly (Buffer | string)[];
}

/** One request on a connection of its own, over `node:http`, the least clever client there is. */
export function call(url: string, { method = 'GET', path, headers = {}, body, chunks }: Call): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const sent = request({ hostname, port, method, path, headers: { ...length, ...headers }, agent: false });
    sent.on('error', reject);
    sent.on('response', async (response) => {
      try {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) });
      } catch (error) {
        reject(error);
      }
    });
    for (const chunk of chunks ?? []) sent.write(chunk);
    sent.end(body);
  });
}
