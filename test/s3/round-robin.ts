// SPDX-License-Identifier: Apache-2.0
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RoundRobin {
  url: string;
  port: number;
  close(): Promise<void>;
}

/** The least clever balancer there is: every request goes to the next replica, whatever the one before went to. */
export async function roundRobin(replicas: () => readonly string[]): Promise<RoundRobin> {
  let turn = 0;
  const agent = new Agent({ keepAlive: true });
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (incoming, answer) => {
    const urls = replicas();
    const { hostname, port } = new URL(urls[turn++ % urls.length] ?? 'http://127.0.0.1:1');
    // How long a connection lives is each side's own business: a replica that closes it behind an early answer, while the
    // rest of a refused body is on its way, would take the answer with it.
    const { connection: _, ...headers } = incoming.headers;
    const outgoing = request({ hostname, port, method: incoming.method, path: incoming.url, headers, agent });
    const fail = () => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502, { 'Content-Length': 0 }).end();
    };
    outgoing.on('error', fail);
    outgoing.on('response', (received) => {
      received.on('error', () => answer.destroy());
      const { connection: __, 'keep-alive': ___, ...others } = received.headers;
      answer.writeHead(received.statusCode ?? 502, others);
      received.pipe(answer);
    });
    // What a client leaves unfinished must look unfinished to the replica.
    incoming.on('error', () => outgoing.destroy());
    answer.on('close', () => {
      if (!answer.writableFinished) outgoing.destroy();
    });
    // The rest of a body that the replica refused has to go somewhere.
    answer.on('finish', () => incoming.unpipe(outgoing).resume());
    outgoing.on('close', () => incoming.unpipe(outgoing).resume());
    answer.on('error', () => undefined);
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}
