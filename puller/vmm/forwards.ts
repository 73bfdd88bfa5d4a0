// SPDX-License-Identifier: Apache-2.0
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { PullerError } from '../errors.ts';
import type { Machine, PortForward } from './monitor.ts';

/**
 * Finds out before a guest is booted whether its ports can be had here. Whoever takes one in between is noticed by the
 * monitor.
 *
 * @throws PullerError `PORT_IN_USE`, `PORT_UNAVAILABLE`
 */
export async function checkForwards(forwards: readonly PortForward[]): Promise<void> {
  const wanted = forwards.filter(({ host }) => host !== 0);
  for (const [index, forward] of wanted.entries()) {
    const same = ({ host, address, protocol }: PortForward): boolean =>
      host === forward.host && address === forward.address && protocol === forward.protocol;
    if (wanted.findIndex(same) !== index) throw unavailable(forward, 'EADDRINUSE', 'it is forwarded twice');
  }
  await Promise.all(wanted.map(checkForward));
}

async function checkForward(forward: PortForward): Promise<void> {
  const { address, host, protocol } = forward;
  try {
    await (protocol === 'tcp' ? bindTcp(address, host) : bindUdp(address, host));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw unavailable(forward, code);
  }
}

export function unavailable({ address, host, protocol }: PortForward, code: string, reason?: string): PullerError {
  const where = address.includes(':') ? `[${address}]` : address;
  const what = `cannot listen at ${where}:${host} (${protocol})`;
  switch (code) {
    case 'EADDRINUSE':
      return new PullerError('PORT_IN_USE', `${what}: ${reason ?? 'it is in use'}`, {
        hint: 'forward another port, or stop what listens there',
      });
    case 'EACCES':
      return new PullerError('PORT_UNAVAILABLE', `${what}: only root may use this port`, {
        hint: 'forward a port above 1023',
      });
    case 'EADDRNOTAVAIL':
      return new PullerError('PORT_UNAVAILABLE', `${what}: this machine does not have that address`);
    default:
      return new PullerError('PORT_UNAVAILABLE', `${what}: ${code}`);
  }
}

function bindTcp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

function bindUdp(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}

/**
 * The forwards with the ports that the system chose where 0 was asked for.
 *
 * @throws PullerError `MONITOR_FAILED`
 */
export async function resolveForwards(
  machine: Pick<Machine, 'command'>,
  forwards: readonly PortForward[],
): Promise<PortForward[]> {
  if (forwards.every(({ host }) => host !== 0)) return [...forwards];
  const listening = parseUserNetwork(await machine.command('info usernet'));
  return forwards.map((forward) => {
    if (forward.host !== 0) return forward;
    const at = listening.findIndex(
      ({ protocol, guest, host }) =>
        protocol === forward.protocol && guest === forward.guest && !forwards.some((other) => other.host === host),
    );
    const [found] = at < 0 ? [] : listening.splice(at, 1);
    if (found === undefined)
      throw new PullerError('MONITOR_FAILED', `no forward to port ${forward.guest} of the guest`);
    return { ...forward, host: found.host };
  });
}

/** Lines such as `TCP[HOST_FORWARD]  13  127.0.0.1 44511  10.0.2.15  80  0  0`. */
export function parseUserNetwork(text: string): { protocol: string; host: number; guest: number }[] {
  const lines = text.matchAll(/^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)\s/gm);
  return [...lines].map(([, protocol = '', host, guest]) => ({
    protocol: protocol.toLowerCase(),
    host: Number(host),
    guest: Number(guest),
  }));
}
