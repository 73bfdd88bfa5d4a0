// SPDX-License-Identifier: Apache-2.0
import type { AddressInfo, Server } from 'node:net';
import { RegistryError } from '../errors.ts';

export interface ListenOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
}

/** Where a server listens; `host` as it stands in a URL. */
export interface Listening {
  host: string;
  port: number;
}

/** @throws RegistryError `LISTEN_FAILED` */
export function listen(server: Server, { host, port }: ListenOptions): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException) => reject(cannotListen(host, port, cause));
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      // A connection that could not be taken (no descriptor is left, say) is lost; the others go on.
      server.on('error', () => undefined);
      const address = server.address() as AddressInfo;
      const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      resolve({ host: shown, port: address.port });
    });
  });
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): RegistryError {
  const where = `${host}:${port}`;
  const why: Record<string, string> = {
    EADDRINUSE: 'another program listens there',
    EADDRNOTAVAIL: 'this machine has no such address',
    EACCES: 'the port needs more rights',
    ENOTFOUND: 'the host is not known',
  };
  return new RegistryError('LISTEN_FAILED', `cannot listen on ${where}: ${why[cause.code ?? ''] ?? cause.message}`, {
    cause,
    hint: 'choose another address, or port 0 to let the system choose one',
  });
}
