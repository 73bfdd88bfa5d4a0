// SPDX-License-Identifier: Apache-2.0
// The other end of the guest's network: sends back what it gets, by TCP and UDP on one port of the loopback.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

export interface Peer extends AsyncDisposable {
  readonly port: number;
}

export async function startPeer(): Promise<Peer> {
  const streams = createServer((socket) => {
    // A guest that is ended leaves its connections as they are.
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  const sockets = new Set<{ destroy(): void }>();
  streams.on('connection', (socket) => sockets.add(socket));
  streams.listen(0, '127.0.0.1');
  await once(streams, 'listening');
  const { port } = streams.address() as AddressInfo;
  const datagrams = createSocket('udp4');
  datagrams.on('message', (bytes, { port: from, address }) => datagrams.send(bytes, from, address));
  datagrams.bind(port, '127.0.0.1');
  await once(datagrams, 'listening');
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      datagrams.close();
      streams.close();
      await once(streams, 'close');
    },
  };
}
