// SPDX-License-Identifier: Apache-2.0
// The agent of a real guest: a real kernel in a real monitor.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execInInstance } from '../../puller/instances/agent/verbs.ts';
import { findInstance } from '../../puller/instances/lifecycle/find.ts';
import { buildGuestImage, Collector, type GuestImage } from '../guest/guest.ts';
import { type Ran, runUk, uk } from '../whole/command.ts';
import { until } from './fake-node.ts';

const IMAGE = 'localhost/guest:1';
const PROGRAM = '/programs/agent';

let image: GuestImage;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  image = await buildGuestImage();
  await image.store.tag(IMAGE, image.descriptor);
  env = { UK_STORE: join(image.folder, 'store') };
  await uk(['run', '-d', '--name', 'guest', '-e', 'FROM=run', '-w', '/programs', '--entrypoint', PROGRAM, IMAGE], {
    env,
  });
});
afterAll(async () => {
  if (image === undefined) return;
  const ids = (await uk(['ps', '-aq'], { env })).split('\n').filter((id) => id !== '');
  if (ids.length > 0) await uk(['rm', '-f', ...ids], { env });
  await image[Symbol.asyncDispose]();
});

function exec(args: string[], options: string[] = [], input?: Uint8Array): Promise<Ran> {
  return runUk(['exec', ...options, 'guest', ...args], { env, timeoutMs: 60_000, ...(input ? { input } : {}) });
}

describe('exec', () => {
  test('streams, arguments, exit status', async () => {
    const ran = await exec([PROGRAM, 'echo', 'a b', '', '$X', 'ä']);
    expect(ran).toMatchObject({ status: 0, stderr: Buffer.from('error\n') });
    expect(ran.stdout.toString()).toBe('<a b><><$X><ä>');
    expect((await exec([PROGRAM, 'exit', '7'])).status).toBe(7);
  });

  test('a child of init with the program’s environment, folder and user, or others', async () => {
    expect((await exec([PROGRAM, 'where'])).stdout.toString()).toBe('/programs 0:0 parent 1\n');
    expect((await exec([PROGRAM, 'where'], ['-w', '/tmp', '-u', '1000:5'])).stdout.toString()).toBe(
      '/tmp 1000:5 parent 1\n',
    );
    const variables = (await exec([PROGRAM, 'env'], ['-e', 'MORE=1'])).stdout.toString().split('\n');
    expect(variables).toEqual(expect.arrayContaining(['FROM=run', 'MORE=1']));
  });

  test('what cannot be run', async () => {
    expect((await exec(['nothing'])).status).toBe(127);
    expect((await exec(['/programs'])).status).toBe(126);
    const ran = await exec([PROGRAM, 'where'], ['-u', 'nobody-here']);
    expect([ran.status, ran.stderr.toString()]).toEqual([
      125,
      'uk: the image has no such user or group: nobody-here\n',
    ]);
  });

  test('megabytes both ways', async () => {
    const input = Buffer.alloc(2_000_003, 'input');
    expect((await exec([PROGRAM, 'cat'], ['-i'], input)).stdout.equals(input)).toBe(true);
    expect((await exec([PROGRAM, 'fill', '5000000'])).stdout).toHaveLength(5_000_000);
  });

  test('what a command leaves in the background does not hold it', async () => {
    expect(await exec([PROGRAM, 'background'])).toMatchObject({ status: 0, stdout: Buffer.from('left\n') });
  });

  test('a terminal: its size, a line, and its new size', async () => {
    const folder = await findInstance(join(image.folder, 'store', 'instances'), 'guest');
    const [stdin, stdout] = [new PassThrough(), new Collector()];
    const terminal = { rows: 33, columns: 99 };
    const session = await execInInstance(
      folder,
      { args: [PROGRAM, 'terminal'], terminal },
      { stdin, stdout, stderr: stdout },
    );
    await stdout.seen('33 99');
    session.resize({ rows: 10, columns: 20 });
    stdin.write('typed\n');
    expect(await session.ended).toEqual({ kind: 'ended', end: { status: 0 } });
    expect(stdout.text).toMatch(/^\/dev\/pts\/\d+ 33 99\r\ntyped\r\ngot typed\r\n$/);
  });

  test('Ctrl-C on a terminal is a signal to the command', async () => {
    const folder = await findInstance(join(image.folder, 'store', 'instances'), 'guest');
    const [stdin, stdout] = [new PassThrough(), new Collector()];
    const terminal = { rows: 24, columns: 80 };
    const session = await execInInstance(
      folder,
      { args: [PROGRAM, 'terminal'], terminal },
      { stdin, stdout, stderr: stdout },
    );
    await stdout.seen('24 80');
    stdin.write('\x03');
    expect(await session.ended).toEqual({ kind: 'ended', end: { signal: 2, core: false } });
  });

  test('many at once, and their end leaves nothing', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, index) => exec([PROGRAM, 'echo', String(index)])));
    expect(all.map(({ stdout }) => stdout.toString())).toEqual(all.map((_, index) => `<${index}>`));
    await until(
      'only the program is left',
      async () => (await processes()).filter((one) => one.includes('echo')).length === 0,
    );
  });

  test('a client that is killed takes its command with it', async () => {
    await runUk(['exec', 'guest', PROGRAM, 'wait', 'for-me'], { env, timeoutMs: 4_000 });
    await until('it has ended', async () => !(await processes()).some((one) => one.includes('for-me')));
  });

  test('-d leaves it alone', async () => {
    expect(await exec([PROGRAM, 'wait', 'alone'], ['-d'])).toMatchObject({ status: 0, stdout: Buffer.alloc(0) });
    expect((await processes()).filter((one) => one.includes('alone'))).toHaveLength(1);
  });
});

async function processes(): Promise<string[]> {
  const list = JSON.parse(await uk(['top', '--json', 'guest'], { env })) as { command: string }[];
  return list.map(({ command }) => command);
}

test('top and stats say what is in the guest', async () => {
  expect(await processes()).toEqual(expect.arrayContaining(['/.uk/init', PROGRAM]));
  const [stats] = JSON.parse(await uk(['stats', '--no-stream', '--json', 'guest'], { env }));
  expect(stats.guest.memoryTotal).toBeGreaterThan(50 * 1024 ** 2);
  expect(stats.guest.memoryUsed).toBeGreaterThan(1024 ** 2);
  expect(stats.guest.processes).toBeGreaterThanOrEqual(2);
  expect(stats.monitor.memory).toBeGreaterThan(stats.guest.memoryUsed);
});

test('cp in and out, a folder as it was', async () => {
  const [source, back] = [join(image.folder, 'source'), join(image.folder, 'back')];
  const long = 'n'.repeat(180);
  await mkdir(join(source, 'deep'), { recursive: true });
  await writeFile(join(source, 'deep', long), Buffer.alloc(1_000_001, 'x'));
  await uk(['cp', source, 'guest:/tmp/there'], { env });
  await uk(['cp', 'guest:/tmp/there', back], { env });
  expect(await readdir(join(back, 'deep'))).toEqual([long]);
  expect((await readFile(join(back, 'deep', long))).equals(Buffer.alloc(1_000_001, 'x'))).toBe(true);
  await uk(['cp', 'guest:/tmp/there/.', back], { env });
  expect(await readdir(back)).toEqual(['deep']);
  expect((await runUk(['cp', 'guest:/no/such', back], { env })).stderr.toString()).toBe(
    'uk: /no/such is not in the guest\n',
  );
});

test('attach: input to the program, its output, its end', async () => {
  await uk(['run', '-d', '-i', '--name', 'copies', '--entrypoint', PROGRAM, IMAGE, 'cat'], { env });
  const ran = await runUk(['attach', 'copies'], { env, input: Buffer.from('there and back\n'), timeoutMs: 4_000 });
  expect(ran.stdout.toString()).toBe('there and back\n');
  expect(await uk(['logs', 'copies'], { env })).toBe('there and back');
});

test('the image’s label turns the agent off', async () => {
  await uk(['build', '-t', 'localhost/closed:1', '--from', IMAGE, '-l', 'vnd.uk.agent=off'], { env });
  await uk(['run', '-d', '--name', 'closed', '--entrypoint', PROGRAM, 'localhost/closed:1'], { env });
  expect((await runUk(['exec', 'closed', PROGRAM], { env })).stderr.toString()).toMatch(
    /^uk: closed has no agent: its image turns it off/,
  );
});
