// SPDX-License-Identifier: Apache-2.0
// The server as people run it: `uk registry serve`, its worker processes, and what operators ask it.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { root as checkout } from '../whole/command.ts';
import { call } from './call.ts';
import { pusher } from './content.ts';
import { useServers } from './server-process.ts';

const { serve, folder, workersOf, isRunning } = useServers();

describe('worker processes', () => {
  test('as many as were asked for answer, on one address and one folder', async () => {
    const server = await serve('--workers', '3');
    expect(workersOf(server.pid)).toHaveLength(3);
    const digest = await pusher(server.url).image('many', 't', 'layer');
    // A connection each: they go round.
    for (let at = 0; at < 6; at += 1) {
      const answer = await call(server.url, { path: '/v2/many/manifests/t' });
      expect(answer.headers['docker-content-digest']).toBe(digest);
    }
    const { body } = await call(server.url, { path: '/metrics' });
    expect(body.toString()).toMatch(/uk_registry_requests_total\{route="manifest",method="GET",status="200"\} 6$/m);
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(workersOf(server.pid)).toEqual([]);
  });

  test('an upload goes on in whichever process its next request meets', async () => {
    const server = await serve('--workers', '3');
    const bytes = randomBytes(900_000);
    let upload = await pusher(server.url).upload('hops');
    for (let at = 0; at < 9; at += 1) {
      const [start, end] = [at * 100_000, (at + 1) * 100_000];
      const headers = { 'Content-Range': `${start}-${end - 1}` };
      const answer = await call(server.url, {
        method: 'PATCH',
        path: upload,
        headers,
        body: bytes.subarray(start, end),
      });
      expect([answer.status, answer.headers.range]).toEqual([202, `0-${end - 1}`]);
      upload = String(answer.headers.location);
    }
    const done = await call(server.url, { method: 'PUT', path: `${upload}?digest=${digestOf(bytes)}` });
    expect(done.status).toBe(201);
    const { body } = await call(server.url, { path: `/v2/hops/blobs/${digestOf(bytes)}` });
    expect(body.equals(bytes)).toBe(true);
  });

  test('pushes of one tag from everywhere at once leave one that answered', async () => {
    const server = await serve('--workers', '3');
    const pushes = Array.from({ length: 30 }, (_, at) => pusher(server.url).image('race', 'latest', `layer ${at}`));
    const digests = await Promise.all(pushes);
    const { status, headers } = await call(server.url, { path: '/v2/race/manifests/latest' });
    expect(status).toBe(200);
    expect(digests).toContain(headers['docker-content-digest']);
    for (const digest of digests) {
      expect((await call(server.url, { path: `/v2/race/manifests/${digest}` })).status).toBe(200);
    }
  });

  test('one that is killed is replaced, and the locks that it held are free', async () => {
    const server = await serve('--workers', '2');
    const workers = workersOf(server.pid);
    const push = pusher(server.url);
    await push.image('stays', 't', 'layer');
    for (const worker of workers) process.kill(worker, 'SIGKILL');
    await vi.waitFor(async () => {
      expect(workersOf(server.pid)).toHaveLength(2);
      expect((await call(server.url, { path: '/v2/stays/manifests/t' })).status).toBe(200);
    }, 20_000);
    expect(workersOf(server.pid).some((worker) => workers.includes(worker))).toBe(false);
    expect(server.log()).toContain('another one takes its place');
    await push.image('stays', 't', 'another layer');
  });

  test('one that was stopped keeps neither new connections nor the metrics from the others', async () => {
    const server = await serve('--workers', '2');
    const [stopped = 0] = workersOf(server.pid);
    process.kill(stopped, 'SIGSTOP');
    try {
      const asked = Array.from({ length: 8 }, () => call(server.url, { path: '/v2/' }).then(({ status }) => status));
      // One may be on its way to the worker that sleeps.
      await vi.waitFor(async () => {
        const done = await Promise.all(asked.map((one) => Promise.race([one, undefined])));
        expect(done.filter((status) => status === 200).length).toBeGreaterThanOrEqual(4);
      });
      const { body } = await call(server.url, { path: '/metrics' });
      expect(body.toString()).toContain('uk_registry_requests_total');
      process.kill(stopped, 'SIGCONT');
      expect(await Promise.all(asked)).toEqual(Array.from({ length: 8 }, () => 200));
    } finally {
      process.kill(stopped, 'SIGCONT');
    }
  });

  test('have counted what they have, also those that are gone', async () => {
    const server = await serve('--workers', '2');
    const counted = async () => {
      const { body } = await call(server.url, { path: '/metrics' });
      const found = /uk_registry_requests_total\{route="base",method="GET",status="200"\} ([0-9]+)$/m.exec(`${body}`);
      return Number(found?.[1]);
    };
    for (let at = 0; at < 6; at += 1) await call(server.url, { path: '/v2/' });
    expect(await counted()).toBe(6);
    for (const worker of workersOf(server.pid)) process.kill(worker, 'SIGKILL');
    await vi.waitFor(async () => expect(await counted()).toBe(6), 20_000);
  });

  test('end with their primary process, and the next server takes over at once', async () => {
    const server = await serve('--workers', '2');
    const digest = await pusher(server.url).image('over', 't', 'layer');
    const workers = workersOf(server.pid);
    server.signal('SIGKILL');
    const next = await serve('--workers', '2');
    expect(workers.filter(isRunning)).toEqual([]);
    const { headers } = await call(next.url, { path: '/v2/over/manifests/t' });
    expect(headers['docker-content-digest']).toBe(digest);
  });

  test('that cannot listen say so once, and nothing stays behind', async () => {
    const server = await serve();
    const address = server.url.replace('http://', '');
    const args = ['--listen', address, '--storage', join(folder(), 'other'), '--workers', '2'];
    const child = spawn(join(checkout, 'puller/cli/uk'), ['registry', 'serve', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said, [status]] = await Promise.all([readText(child.stderr), once(child, 'close')]);
    expect(status).toBe(1);
    expect(said).toMatch(/cannot listen on 127.0.0.1:[0-9]+: another program listens there/);
    expect(said.trim().split('\n')).toHaveLength(1);
  });
});

describe('a stop', () => {
  test.each(['1', '2'])(
    'with %s workers lets a request end that is under way, and tells balancers first',
    async (workers) => {
      const server = await serve('--workers', workers, '--set', 'connections.drain=300ms');
      const bytes = randomBytes(100_000);
      const upload = await pusher(server.url).upload('late');
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      socket.write(
        `PUT ${upload}?digest=${digestOf(bytes)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n\r\n`,
      );
      socket.write(bytes.subarray(0, 50_000));
      server.signal('SIGTERM');
      await vi.waitFor(async () => {
        const ready = await call(server.url, { path: '/readyz' });
        expect([ready.status, ready.body.toString()]).toEqual([503, 'the server is stopping\n']);
      });
      expect((await call(server.url, { path: '/healthz' })).status).toBe(200);
      await vi.waitFor(async () => {
        await expect(call(server.url, { path: '/v2/' })).rejects.toThrow(/ECONNREFUSED/);
      });
      // What a terminal that goes away says too.
      server.signal('SIGHUP');
      socket.write(bytes.subarray(50_000));
      expect(await readText(socket)).toMatch(/^HTTP\/1.1 201 /);
      expect(await server.ended).toBe(0);
    },
  );
});

describe('an operator', () => {
  test('sees each request in the log, where that is wanted, without what is secret', async () => {
    const server = await serve('--set', 'log.requests=yes');
    await call(server.url, {
      path: '/v2/x/manifests/none',
      headers: { Authorization: 'Basic c2VjcmV0', 'User-Agent': 'me' },
    });
    const line = await vi.waitFor(() => {
      const found = server
        .log()
        .split('\n')
        .find((one) => one.includes('/v2/x/manifests/none'));
      return JSON.parse(found ?? '');
    });
    expect(line).toMatchObject({ method: 'GET', status: 404, client: '127.0.0.1', agent: 'me', whole: true });
    expect(server.log()).not.toContain('c2VjcmV0');
  });

  test('is told by /readyz that the storage is away', async () => {
    const server = await serve('--workers', '1', '--log-level', 'silent');
    expect((await call(server.url, { path: '/readyz' })).status).toBe(200);
    const objects = join(folder(), 'images/objects');
    execFileSync('sh', ['-c', 'mv "$0" "$0-away" && echo no folder > "$0"', objects]);
    expect((await call(server.url, { path: '/readyz' })).status).toBe(503);
    execFileSync('sh', ['-c', 'rm "$0" && mv "$0-away" "$0"', objects]);
    expect((await call(server.url, { path: '/readyz' })).status).toBe(200);
  });

  test('can do without /metrics', async () => {
    const server = await serve('--set', 'metrics=off');
    expect((await call(server.url, { path: '/metrics' })).status).toBe(404);
    expect((await call(server.url, { method: 'POST', path: '/healthz' })).status).toBe(404);
  });
});

describe('HTTPS', () => {
  const certificate = (name: string) => {
    const [key, cert] = [join(folder(), `${name}-key.pem`), join(folder(), `${name}.pem`)];
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key, cert };
  };
  /** Status, and who the server says it is. */
  const ask = async (url: string, ca: string) => {
    const sent = secureRequest(`${url}/v2/`, { ca: await readFile(ca), agent: false });
    sent.end();
    const [response] = await once(sent, 'response');
    const { subject } = response.socket.getPeerCertificate();
    response.resume();
    return [response.statusCode, subject.CN];
  };

  test.each(['1', '2'])('with %s workers serves a certificate, and after a SIGHUP its successor', async (workers) => {
    const first = certificate('first');
    const tls = ['--set', `tls.certificate=${first.cert}`, '--set', `tls.key=${first.key}`];
    const server = await serve('--workers', workers, ...tls);
    expect(server.url).toMatch(/^https:/);
    expect(await ask(server.url, first.cert)).toEqual([200, 'first']);
    const second = certificate('second');
    execFileSync('cp', [second.cert, first.cert]);
    execFileSync('cp', [second.key, first.key]);
    server.signal('SIGHUP');
    await vi.waitFor(async () => expect(await ask(server.url, second.cert)).toEqual([200, 'second']));
    execFileSync('sh', ['-c', 'echo damaged > "$0"', first.key]);
    server.signal('SIGHUP');
    await vi.waitFor(() => expect(server.log()).toContain('kept the old certificate'));
    expect(await ask(server.url, second.cert)).toEqual([200, 'second']);
  });

  test('stops although a client has yet to say hello', async () => {
    const { cert, key } = certificate('waits');
    const server = await serve('--workers', '1', '--set', `tls.certificate=${cert}`, '--set', `tls.key=${key}`);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    // Accepted as well, as its successor is.
    expect(await ask(server.url, cert)).toEqual([200, 'waits']);
    const begun = performance.now();
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);
    // Less than a handshake may take.
    expect(performance.now() - begun).toBeLessThan(8_000);
  });

  test('with a key that does not fit does not start', async () => {
    const [one, other] = [certificate('one'), certificate('other')];
    const tls = ['--set', `tls.certificate=${one.cert}`, '--set', `tls.key=${other.key}`];
    await expect(serve(...tls)).rejects.toThrow(/cannot serve HTTPS with/);
  });
});
