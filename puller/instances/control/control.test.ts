// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answers, ask, converse, GONE } from './client.ts';
import { parseRequest, type Request } from './protocol.ts';
import { type ControlAnswers, serveControl } from './server.ts';
import { shortPath } from './short-path.ts';

let folder: string;
let path: string;
let server: Server | undefined;

function answering(answer: ControlAnswers['answer'], begin: ControlAnswers['begin'] = () => new Promise(() => {})) {
  return { answer, begin };
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-control-'));
  // Longer than a socket's address may be.
  const deep = join(folder, 'x'.repeat(100), 'y'.repeat(100));
  await mkdir(deep, { recursive: true });
  path = join(deep, 'control');
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

test('a request gets its answer, at a path of any length, over what was left there', async () => {
  await writeFile(path, 'left');
  const asked: Request[] = [];
  server = await serveControl(
    path,
    answering(async (request) => {
      asked.push(request);
      return { ok: true, status: 3 };
    }),
  );
  expect(await ask(path, { verb: 'stop', graceMs: 5 })).toEqual({ ok: true, status: 3 });
  expect(asked).toEqual([{ verb: 'stop', graceMs: 5 }]);
  expect(await answers(path)).toBe(true);
});

test('a refusal is an error here', async () => {
  const refusal = { ok: false, reason: { code: 'INSTANCE_BUSY', message: 'no' } } as const;
  server = await serveControl(
    path,
    answering(async () => refusal),
  );
  await expect(ask(path, { verb: 'wait' })).rejects.toMatchObject({ code: 'INSTANCE_BUSY', message: 'no' });
});

test('nobody there, nobody any more, and one that says nothing', async () => {
  expect(await ask(path, { verb: 'wait' })).toBe(GONE);
  await writeFile(path, '');
  expect(await ask(path, { verb: 'wait' })).toBe(GONE);
  expect(await ask(join(folder, 'no/such/control'), { verb: 'wait' })).toBe(GONE);
  server = await serveControl(
    path,
    answering(() => new Promise(() => {})),
  );
  await expect(ask(path, { verb: 'wait' }, { limitMs: 50 })).rejects.toMatchObject({ code: 'SUPERVISOR_SILENT' });
  const signal = AbortSignal.timeout(50);
  await expect(ask(path, { verb: 'wait' }, { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('what is no request is refused, what is too long is cut off', async () => {
  server = await serveControl(
    path,
    answering(async () => ({ ok: true })),
  );
  const send = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const short = shortPath(path);
      let said = '';
      const socket = connect(short.path).setEncoding('utf8');
      socket.on('error', () => {});
      socket.on('data', (chunk: string) => {
        said += chunk;
      });
      socket.on('close', () => {
        short.close();
        resolve(said);
      });
      socket.write(text);
    });
  expect(await send('nonsense\n')).toMatch(/REQUEST_UNKNOWN/);
  expect(await send('x'.repeat(100_000))).toBe('');
});

test('a conversation goes on with what both sides say, however it is cut', async () => {
  server = await serveControl(path, {
    answer: async () => ({ ok: true }),
    begin: async () => ({ answer: { ok: true }, converse: (socket) => void socket.resume().pipe(socket) }),
  });
  const begun = await converse(path, { verb: 'session' });
  if (begun === GONE) throw new Error('it is gone');
  const said: Buffer[] = [];
  begun.socket.end('there and back');
  for await (const chunk of begun.socket) said.push(chunk as Buffer);
  expect(Buffer.concat(said).toString()).toBe('there and back');
});

test('a conversation that is refused is an error here', async () => {
  const refusal = { ok: false, reason: { code: 'AGENT_MISSING', message: 'none' } } as const;
  server = await serveControl(
    path,
    answering(
      async () => ({ ok: true }),
      async () => ({ answer: refusal }),
    ),
  );
  await expect(converse(path, { verb: 'session' })).rejects.toMatchObject({ code: 'AGENT_MISSING' });
});

test.each([
  '{"verb":"signal","number":0}',
  '{"verb":"signal","number":65}',
  '{"verb":"signal"}',
  '{"verb":"stop","graceMs":-1}',
  '{"verb":"stop","graceMs":"1"}',
  '{"verb":"other"}',
  '[]',
  'null',
  '',
])('%s is no request', (line) => expect(parseRequest(line)).toBeUndefined());
