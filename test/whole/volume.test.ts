// SPDX-License-Identifier: Apache-2.0
// `uk volume` as a user runs it; a disk that QEMU holds; commands that are killed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root, runUk, uk } from './command.ts';

let store: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), 'uk-volume-'));
  env = { UK_STORE: store };
});

afterEach(() => rm(store, { recursive: true, force: true }));

/** Runs what must fail. @returns the one line that says why */
async function failure(args: string[], status: number): Promise<string> {
  const ran = await runUk(args, { env });
  const lines = ran.stderr.toString().trimEnd().split('\n');
  expect(ran.status, lines.join('\n')).toBe(status);
  expect(ran.stdout.toString()).toBe('');
  const said = lines.filter((line) => !/^\(uk --help shows how\)$|^$/.test(line));
  expect(said).toHaveLength(1);
  return said[0] ?? '';
}

describe('the life of a volume', () => {
  test('made, listed, shown, removed', async () => {
    expect(await uk(['volume', 'ls', '--json'], { env })).toBe('[]');
    expect(
      await uk(['volume', 'create', '--size', '64M', '--label', 'app=shop', '--label', 'x', 'data'], { env }),
    ).toBe('data');
    const random = await uk(['volume', 'create', '--size', '16M'], { env });
    expect(random).toMatch(/^[0-9a-f]{64}$/);
    expect((await uk(['volume', 'ls', '-q'], { env })).split('\n')).toEqual([random, 'data'].sort());
    const table = (await uk(['volume', 'ls'], { env })).split('\n');
    expect(table).toHaveLength(3);
    expect(table.join('\n')).toMatch(/^data +64M +[0-9.]+ \S+ +no +\d{4}-\d\d-\d\d$/m);
    const [shown] = JSON.parse(await uk(['volume', 'inspect', '--json', 'data'], { env }));
    expect(shown).toMatchObject({ name: 'data', size: 64 * 2 ** 20, labels: { app: 'shop', x: '' }, use: 'unused' });
    expect(shown.disk).toBe(join(store, 'volumes', 'data', 'disk.img'));
    expect(await uk(['volume', 'inspect', 'data', random], { env })).toMatch(/^labels +app=shop x=$/m);
    expect(await uk(['volume', 'rm', 'data'], { env })).toBe('data');
    expect(await uk(['volume', 'prune', '-f'], { env })).toMatch(new RegExp(`^removed ${random}\\nremoved 1 volume, `));
    expect(await uk(['volume', 'ls', '--json'], { env })).toBe('[]');
  });

  test('--store names the store; a store that has only volumes takes images', async () => {
    const other = join(store, 'other');
    await uk(['--store', other, 'volume', 'create', '--size', '16M', 'data'], { env });
    expect(await uk(['volume', 'ls', '-q', '--store', other], { env })).toBe('data');
    expect(await uk(['volume', 'ls', '-q'], { env })).toBe('');
    expect(await uk(['images', '--json', '--store', other], { env })).toBe('[]');
  });

  test('e2fsck finds no fault with a new disk', async () => {
    await uk(['volume', 'create', 'data'], { env });
    const disk = join(store, 'volumes/data/disk.img');
    const { status, stdout } = spawnSync('/sbin/e2fsck', ['-f', '-n', disk]);
    expect(status, String(stdout)).toBe(0);
  });
});

test('what is refused is refused in one line, and nothing is left', async () => {
  await uk(['volume', 'create', '--size', '16M', 'data'], { env });
  expect(await failure(['volume', 'create', 'data'], 1)).toMatch(/there is a volume data already/);
  expect(await failure(['volume', 'create', '../x'], 1)).toMatch(/not a name for a volume/);
  expect(await failure(['volume', 'create', '--size', '1M', 'x'], 1)).toMatch(/smallest has 16M/);
  expect(await failure(['volume', 'create', '--size', 'much', 'x'], 2)).toMatch(/write a size/);
  expect(await failure(['volume', 'create', '--label', '=x', 'x'], 2)).toMatch(/KEY=VALUE/);
  expect(await failure(['volume', 'inspect', 'none'], 1)).toMatch(/no volume none/);
  expect(await failure(['volume', 'rm', 'data', 'none'], 1)).toMatch(/no volume none/);
  expect(await failure(['volume', 'prune'], 2)).toMatch(/there is no terminal .*-f removes data/);
  expect(await uk(['volume', 'rm', '-f', 'none'], { env })).toBe('');
  expect(await uk(['volume', 'ls', '-q'], { env })).toBe('data');
  expect(await readdir(join(store, 'volumes/.unfinished'))).toEqual([]);
});

test('the scripts for completion know the commands', async () => {
  const script = await uk(['completion', 'bash'], { env });
  expect(script).toContain("'volume') words='create ls inspect rm prune");
  const offered = execFileSync('bash', [
    '-c',
    `${script}\nCOMP_WORDS=(uk volume cr); COMP_CWORD=2; _uk; echo "\${COMPREPLY[*]}"`,
  ]);
  expect(offered.toString().trim()).toBe('create');
});

async function saysStatus(socket: Socket): Promise<boolean> {
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.includes('"status"')) return true;
  }
  return false;
}

/** A machine of QEMU that has the disk and does not run. */
async function machineWith(disk: string, readOnly: boolean) {
  const control = join(store, `${Math.random()}.sock`);
  const node = `driver=raw,node-name=d,read-only=${readOnly ? 'on' : 'off'},file.driver=file,file.filename=${disk}`;
  const machine = spawn(
    'qemu-system-x86_64',
    [
      ...['-M', 'microvm', '-m', '16M', '-nodefaults', '-display', 'none', '-S'],
      ...['-qmp', `unix:${control},server=on,wait=off`, '-blockdev', node, '-device', 'virtio-blk-device,drive=d'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  machine.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const closed = once(machine, 'close');
  const answered = (async () => {
    // QMP greets early, but answers when all devices are there, and with them their locks.
    for (;;) {
      const socket = createConnection(control);
      socket.on('connect', () => socket.write('{"execute":"qmp_capabilities"}{"execute":"query-status"}'));
      const isUp = await saysStatus(socket).catch(() => false);
      socket.destroy();
      if (isUp) return true;
      if (machine.exitCode !== null) return false;
      await sleep(20);
    }
  })();
  const runs = await Promise.race([answered, closed.then(() => false)]);
  return {
    runs,
    said: () => said,
    async kill() {
      machine.kill('SIGKILL');
      await closed;
    },
  };
}

describe('a volume that a machine has', () => {
  test('is in use until the machine is killed', async () => {
    await uk(['volume', 'create', '--size', '16M', 'data'], { env });
    const machine = await machineWith(join(store, 'volumes/data/disk.img'), false);
    expect(machine.runs, machine.said()).toBe(true);
    expect(await uk(['volume', 'inspect', 'data'], { env })).toMatch(/^in use +written$/m);
    expect(await failure(['volume', 'rm', 'data'], 1)).toMatch(/volume data is in use/);
    expect(await failure(['volume', 'rm', '-f', 'data'], 1)).toMatch(/volume data is in use/);
    expect(await uk(['volume', 'prune', '-f'], { env })).toMatch(/^removed 0 volumes/);
    await machine.kill();
    expect(await uk(['volume', 'inspect', 'data'], { env })).toMatch(/^in use +no$/m);
    expect(await uk(['volume', 'rm', 'data'], { env })).toBe('data');
  });

  test('is shared by readers', async () => {
    await uk(['volume', 'create', '--size', '16M', 'data'], { env });
    const disk = join(store, 'volumes/data/disk.img');
    const readers = [await machineWith(disk, true), await machineWith(disk, true)];
    expect(readers.map(({ runs }) => runs)).toEqual([true, true]);
    expect(await uk(['volume', 'ls'], { env })).toMatch(/^data .* read +\d/m);
    const writer = await machineWith(disk, false);
    expect(writer.runs).toBe(false);
    expect(writer.said()).toMatch(/lock/);
    await Promise.all(readers.map((reader) => reader.kill()));
  });
});

test('a creation that is killed leaves a whole volume or none, and the next one sweeps', async () => {
  const started = join(store, 'started');
  const tool = join(store, 'mke2fs');
  await writeFile(tool, `#!/bin/sh\nPATH=$PATH:/usr/sbin\n: > ${started}\nexec mke2fs "$@"\n`, { mode: 0o755 });
  let killedEarly = 0;
  for (let round = 0; round < 12; round++) {
    const child = spawn(join(root, 'puller/cli/uk'), ['volume', 'create', 'data'], {
      env: { ...process.env, ...env, UK_MKE2FS: tool },
      stdio: 'ignore',
    });
    const closed = once(child, 'close');
    while (!existsSync(started) && child.exitCode === null) await sleep(1);
    await sleep(6 * round);
    child.kill('SIGKILL');
    await closed;
    await rm(started, { force: true });
    // `ls` would say that a volume is damaged.
    const { stdout, stderr } = await runUk(['volume', 'ls', '-q'], { env });
    expect(stderr.toString()).toBe('');
    if (stdout.toString().trim() === 'data') await uk(['volume', 'rm', 'data'], { env });
    else killedEarly += 1;
  }
  expect(killedEarly).toBeGreaterThan(0);
  await uk(['volume', 'create', '--size', '16M', 'last'], { env });
  expect(await readdir(join(store, 'volumes'))).toEqual(['.unfinished', 'last']);
  expect(await readdir(join(store, 'volumes/.unfinished'))).toEqual([]);
});
