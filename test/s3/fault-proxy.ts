// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

/** What happens to one request on its way to the store and back. */
export type Fault =
  /** The connection is cut before the store hears of it. */
  | 'cut'
  /** The store does what it is asked for, and the answer is lost. */
  | 'lose-answer'
  /** Nothing ever comes back. */
  | 'hang'
  /** So many milliseconds late. */
  | { slow: number }
  /** Answered in the store's place. */
  | { status: number; code: string }
  /** The answer's body ends after so many bytes, and the connection with it. */
  | { cutAnswer: number }
  /** One byte of the request's, or of the answer's, body is another one. */
  | 'corrupt-request'
  | 'corrupt-answer'
  /** Answered as the handler likes. */
  | { handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> };

export interface FaultProxy {
  endpoint: string;
  /** Which fault a request meets; undefined: none. Tests replace it while requests run. */
  fault: (incoming: IncomingMessage) => Fault | undefined;
  /** Requests that met a fault. */
  faults: number;
  /** All requests that came, as `PUT /bucket/key`. */
  seen: string[];
  /** No connection gets through any more: refused, and those that are there cut. */
  away(): Promise<void>;
  /** There again, at the same address. */
  back(): Promise<void>;
  close(): Promise<void>;
}

/** Between a registry and its store. What is signed stays as it is, so the store sees the client's requests. */
export async function faultProxy(store: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(store);
  const proxy = { fault: () => undefined, faults: 0, seen: [] } as Pick<FaultProxy, 'fault' | 'faults' | 'seen'>;

  const forward = (incoming: IncomingMessage, answer: ServerResponse, fault: Fault | undefined) => {
    const { method, url, headers } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers, agent: false });
    const broken = () => answer.destroy();
    outgoing.on('error', broken);
    incoming.on('error', () => outgoing.destroy());
    answer.on('close', () => outgoing.destroy());
    outgoing.on('response', (received) => {
      received.on('error', broken);
      if (fault === 'lose-answer') {
        received.resume().on('end', broken);
        return;
      }
      answer.writeHead(received.statusCode ?? 502, received.rawHeaders);
      if (typeof fault === 'object' && 'cutAnswer' in fault)
        received.pipe(cutting(fault.cutAnswer, broken)).pipe(answer);
      else if (fault === 'corrupt-answer') received.pipe(corrupting()).pipe(answer);
      else received.pipe(answer);
    });
    if (fault === 'corrupt-request') incoming.pipe(corrupting()).pipe(outgoing);
    else incoming.pipe(outgoing);
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, async (incoming, answer) => {
    proxy.seen.push(`${incoming.method} ${incoming.url}`);
    answer.on('error', () => undefined);
    const fault = proxy.fault(incoming);
    if (fault !== undefined) proxy.faults += 1;
    if (fault === 'hang') return;
    if (fault === 'cut') return void answer.destroy();
    if (typeof fault === 'object' && 'slow' in fault) await wait(fault.slow);
    if (typeof fault === 'object' && 'status' in fault) {
      incoming.resume();
      answer.writeHead(fault.status, { 'Content-Type': 'application/xml' });
      const body = `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>simulated</Message></Error>`;
      return void answer.end(incoming.method === 'HEAD' ? '' : body);
    }
    if (typeof fault === 'object' && 'handle' in fault) return await fault.handle(incoming, answer);
    forward(incoming, answer, fault);
  });

  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const address = server.address() as AddressInfo;
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${address.port}`,
    away: stop,
    back: () => listen(address.port),
    close: stop,
  });
}

function cutting(after: number, cut: () => void): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const some = chunk.subarray(0, Math.max(0, after - passed));
      passed += some.length;
      if (passed >= after) setImmediate(cut);
      done(null, some);
    },
  });
}

/** Changes one bit of the first byte that passes. */
function corrupting(): Transform {
  let done = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      const changed = Buffer.from(chunk);
      if (!done && changed.length > 0) changed[0] = (changed[0] ?? 0) ^ 1;
      done = true;
      pass(null, changed);
    },
  });
}
