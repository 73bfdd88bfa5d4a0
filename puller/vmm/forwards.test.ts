// SPDX-License-Identifier: Apache-2.0
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { checkForwards, parseUserNetwork, resolveForwards } from './forwards.ts';
import type { PortForward } from './monitor.ts';

function forward(host: number, guest = 80, protocol: 'tcp' | 'udp' = 'tcp', address = '127.0.0.1'): PortForward {
  return { address, host, guest, protocol };
}

describe('check', () => {
  test('free ports, and those that the system chooses', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    await checkForwards([forward(port), forward(port, 80, 'udp'), forward(0), forward(0)]);
  });

  test('a TCP port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(checkForwards([forward(port)])).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await checkForwards([forward(port, 80, 'udp')]);
    server.close();
  });

  test('a UDP port that is in use', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    await expect(checkForwards([forward(socket.address().port, 80, 'udp')])).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    });
    socket.close();
  });

  test('the same port twice', async () => {
    await expect(checkForwards([forward(40_404), forward(40_404, 81)])).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });

  test('an address of another machine', async () => {
    await expect(checkForwards([forward(40_404, 80, 'tcp', '192.0.2.1')])).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
    });
  });
});

const INFO = [
  'Hub -1 (net):',
  '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
  '  TCP[HOST_FORWARD]  12       127.0.0.1 44511       10.0.2.15    80     0     0',
  '  TCP[HOST_FORWARD]  13       127.0.0.1  8080       10.0.2.15    80     0     0',
  '  UDP[HOST_FORWARD]  14       127.0.0.1 41000       10.0.2.15    53     0     0',
  '  TCP[ESTABLISHED]   15       127.0.0.1 44511       10.0.2.15    80     0     0',
  '',
].join('\r\n');

describe('ports that the system chose', () => {
  test('are read from the monitor', () => {
    expect(parseUserNetwork(INFO)).toEqual([
      { protocol: 'tcp', host: 44511, guest: 80 },
      { protocol: 'tcp', host: 8080, guest: 80 },
      { protocol: 'udp', host: 41000, guest: 53 },
    ]);
  });

  test('take the place of 0, and of nothing else', async () => {
    const machine = { command: async () => INFO };
    const wanted = [forward(8080), forward(0), forward(0, 53, 'udp')];
    expect((await resolveForwards(machine, wanted)).map(({ host }) => host)).toEqual([8080, 44511, 41000]);
  });

  test('without any the monitor is not asked', async () => {
    const machine = { command: () => Promise.reject(new Error('asked')) };
    expect(await resolveForwards(machine, [forward(8080)])).toEqual([forward(8080)]);
  });

  test('one that is missing is an error', async () => {
    await expect(resolveForwards({ command: async () => '' }, [forward(0)])).rejects.toMatchObject({
      code: 'MONITOR_FAILED',
    });
  });
});
