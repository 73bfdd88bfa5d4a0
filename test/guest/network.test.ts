// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PortForward, sampleRegisters, startInstance } from '../../puller/index.ts';
import { buildGuestImage, Collector, type GuestImage, runGuest } from './guest.ts';

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
});
afterAll(() => image?.[Symbol.asyncDispose]());

function forward(host: number, guest = 80): PortForward {
  return { address: '127.0.0.1', host, guest, protocol: 'tcp' };
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a server in the guest answers through a forwarded port, at CPL 0', async () => {
  const stdout = new Collector();
  const instance = await startInstance(image.bootable, {
    entrypoint: ['/programs/server'],
    forwards: [forward(0), forward(0, 81)],
    stdout,
    stderr: new Collector(),
  });
  await stdout.seen('listening');
  const [web, other] = await instance.forwards();
  expect(web).toMatchObject({ address: '127.0.0.1', guest: 80 });
  expect(web?.host).toBeGreaterThan(0);
  expect(other?.host).not.toBe(web?.host);
  const answer = await fetch(`http://127.0.0.1:${web?.host}/`);
  expect(await answer.text()).toBe('hello from ring 0');

  const sampling = sampleRegisters(instance.machine, { timeoutMs: 20_000 });
  let over = false;
  void sampling.finally(() => {
    over = true;
  });
  while (!over) await (await fetch(`http://127.0.0.1:${web?.host}/`)).text();
  const samples = await sampling;
  expect(samples.every(({ cpl }) => cpl === 0)).toBe(true);
  expect(samples.at(-1)).toMatchObject({ application: true, cpl: 0 });

  instance.signal(15);
  expect((await instance.outcome).status).toBe(143);
});

test('a server in the guest answers through a port of an IPv6 address', async () => {
  const stdout = new Collector();
  const forwards = [{ ...forward(0), address: '::1' }, forward(0)];
  const instance = await startInstance(image.bootable, {
    ...{ entrypoint: ['/programs/server'], forwards, stdout, stderr: new Collector() },
  });
  await stdout.seen('listening');
  const [six, four] = await instance.forwards();
  expect(six).toMatchObject({ address: '::1', guest: 80 });
  expect(six?.host).not.toBe(four?.host);
  for (const url of [`http://[::1]:${six?.host}/`, `http://127.0.0.1:${four?.host}/`]) {
    expect(await (await fetch(url)).text()).toBe('hello from ring 0');
  }
  instance.signal(15);
  expect((await instance.outcome).status).toBe(143);
  await expect(fetch(`http://[::1]:${six?.host}/`)).rejects.toThrow();
});

describe('ports that cannot be had', () => {
  test('one that is in use is noticed before a guest is booted', async () => {
    const server = createServer();
    const port = await portOf(server);
    const begin = performance.now();
    await expect(runGuest(image, 'exit', [], { forwards: [forward(port)] })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)),
    });
    expect(performance.now() - begin).toBeLessThan(1000);
    server.close();
  });

  test('the same twice', async () => {
    await expect(
      runGuest(image, 'exit', [], { forwards: [forward(40_404), forward(40_404, 81)] }),
    ).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    });
  });

  test("another machine's address", async () => {
    const forwards = [{ ...forward(8080), address: '192.0.2.1' }];
    await expect(runGuest(image, 'exit', [], { forwards })).rejects.toMatchObject({ code: 'PORT_UNAVAILABLE' });
  });
});
