// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Server, type Socket } from 'node:net';
import { resolveForwards, unavailable } from './forwards.ts';
import type { Machine, PortForward } from './monitor.ts';

/**
 * The forwards of one guest. QEMU's user-mode network listens at IPv4 addresses only (net/slirp.c, `slirp_hostfwd`), so a
 * port of an IPv6 address is listened at by this process, which passes connections on to a port of 127.0.0.1 that the
 * monitor forwards.
 */
export class RelayedForwards {
  /** What the monitor is to forward. */
  readonly monitored: readonly PortForward[];
  readonly #asked: readonly PortForward[];
  readonly #servers: ReadonlyMap<PortForward, Server>;
  readonly #machine = Promise.withResolvers<Pick<Machine, 'command'>>();
  #resolved: Promise<PortForward[]> | undefined;

  private constructor(asked: readonly PortForward[], servers: ReadonlyMap<PortForward, Server>) {
    this.#asked = asked;
    this.#servers = servers;
    this.monitored = asked.map((forward) =>
      servers.has(forward) ? { ...forward, address: '127.0.0.1', host: 0 } : forward,
    );
    // Nobody may ever ask for it.
    this.#machine.promise.catch(() => {});
  }

  /**
   * Listens at the ports of IPv6 addresses. A connection waits until the monitor is there.
   *
   * @throws PullerError `PORT_IN_USE`, `PORT_UNAVAILABLE`
   */
  static async open(forwards: readonly PortForward[]): Promise<RelayedForwards> {
    const servers = forwards.filter(isIpv6).map((forward) => [forward, createServer({ allowHalfOpen: true })] as const);
    const opened = new RelayedForwards(forwards, new Map(servers));
    try {
      for (const [forward, server] of opened.#servers) {
        await listen(server, forward);
        server.on('connection', (client: Socket) => void opened.#relay(client, forward));
      }
    } catch (error) {
      opened.close();
      throw error;
    }
    return opened;
  }

  /** The monitor runs. */
  serve(machine: Pick<Machine, 'command'>): void {
    this.#machine.resolve(machine);
  }

  /** The forwards that were asked for, with the ports that the system chose. @throws PullerError `MONITOR_FAILED` */
  async resolve(): Promise<PortForward[]> {
    const monitored = await this.#monitoredPorts();
    return this.#asked.map((forward, at) => {
      const address = this.#servers.get(forward)?.address();
      if (typeof address === 'object' && address !== null) return { ...forward, host: address.port };
      return monitored[at] ?? forward;
    });
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
    this.#machine.reject(new Error('the guest has ended'));
  }

  #monitoredPorts(): Promise<PortForward[]> {
    this.#resolved ??= this.#machine.promise.then((machine) => resolveForwards(machine, this.monitored));
    return this.#resolved;
  }

  async #relay(client: Socket, forward: PortForward): Promise<void> {
    client.on('error', () => client.destroy());
    try {
      const port = (await this.#monitoredPorts())[this.#asked.indexOf(forward)]?.host ?? 0;
      const guest = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      guest.on('error', () => client.destroy());
      client.on('close', () => guest.destroy());
      guest.on('close', () => client.destroy());
      client.pipe(guest);
      guest.pipe(client);
    } catch {
      client.destroy();
    }
  }
}

function isIpv6({ address }: PortForward): boolean {
  return address.includes(':');
}

function listen(server: Server, forward: PortForward): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unavailable(forward, error.code ?? error.message)));
    server.listen({ host: forward.address, port: forward.host, exclusive: true, ipv6Only: true }, resolve);
  });
}
