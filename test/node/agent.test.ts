// SPDX-License-Identifier: Apache-2.0
// Commands, files and reports of a guest's agent, as a user has them. The guest is the stand-in of fake-monitor.ts, whose
// agent behaves or is hostile.
import { readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { headers } from '../../image-format/layers/index.ts';
import { runUk } from '../whole/command.ts';
import { type FakeNode, fakeNode, IMAGE, until } from './fake-node.ts';

let node: FakeNode;
beforeAll(async () => {
  node = await fakeNode();
  await node.uk('run', '-d', '--name', 'good', '-e', 'FROM=run', IMAGE, 'ticks');
  await node.uk('run', '-d', '--name', 'without', '--no-agent', IMAGE);
});
afterAll(() => node?.[Symbol.asyncDispose]());

/** Memory of its own that a process has, in MiB. */
function ownMemory(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const sum = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(rollup)?.[1]) / 1024;
  return sum('Private_Dirty') + sum('Private_Clean');
}

describe('exec', () => {
  test('streams and exit status are the command’s', async () => {
    const ran = await node.run('exec', 'good', 'sh', '-c', 'echo out; echo err >&2; exit 7');
    expect(ran).toMatchObject({ status: 7, stdout: Buffer.from('out\n'), stderr: Buffer.from('err\n') });
    expect((await node.run('exec', 'good', 'sh', '-c', 'kill -9 $$')).status).toBe(137);
  });

  test('arguments and variables arrive exactly as given', async () => {
    const odd = ['', ' ', 'a b', '$HOME', '`x`', '"\'\\', 'ä\n', '--', '-i'];
    const ran = await node.run(
      'exec',
      '-e',
      'ODD= "$x"\n',
      'good',
      'sh',
      '-c',
      'printf "<%s>" "$FROM" "$ODD" "$@"',
      '_',
      ...odd,
    );
    expect(ran.stdout.toString()).toBe(['run', ' "$x"\n', ...odd].map((text) => `<${text}>`).join(''));
  });

  test('input goes in whole, with -i only', async () => {
    const env = node.env;
    const input = Buffer.alloc(3_000_001, 'input');
    const ran = await runUk(['exec', '-i', 'good', 'cat'], { env, input });
    expect(ran.stdout.equals(input)).toBe(true);
    expect((await runUk(['exec', 'good', 'cat'], { env, input })).stdout).toHaveLength(0);
  });

  test('what cannot be started says why, with a shell’s status', async () => {
    const ran = await node.run('exec', 'good', '/no/such/command');
    expect(ran.status).toBe(127);
    expect(ran.stderr.toString()).toMatch(/^uk: .*\n$/);
  });

  test('a command whose client is killed is ended', async () => {
    const before = node.processes().length;
    const client = runUk(['exec', 'good', 'sleep', '1000'], { env: node.env, timeoutMs: 3_000 });
    await until('it runs', () => node.processes().length > before);
    await client;
    await until('it has ended', () => node.processes().length === before);
  });

  test('so many at a time, the next one is refused in one line, and all end', async () => {
    const many = Array.from({ length: 17 }, () => node.run('exec', 'good', 'sleep', '8'));
    const ended = await Promise.all(many);
    const refused = ended.filter(({ status }) => status !== 0);
    expect(refused.map(({ stderr }) => stderr.toString())).toEqual([
      'uk: the guest does 16 things at a time already (wait until one of them has ended)\n',
    ]);
  });

  test('nothing to ask: refused in one line, and nothing runs here', async () => {
    const lines = [];
    for (const args of [
      ['exec', 'without', 'true'],
      ['cp', 'without:/etc', '.'],
      ['top', 'without'],
    ]) {
      lines.push((await node.run(...args)).stderr.toString());
    }
    expect(new Set(lines)).toEqual(new Set(['uk: without has no agent: it was made with --no-agent\n']));
    await node.uk('create', '--name', 'created', IMAGE);
    expect((await node.run('exec', 'created', 'true')).stderr.toString()).toMatch(/^uk: instance created does not run/);
  });

  test('a guest from before there was an agent', async () => {
    const env = { ...node.env, UK_FAKE_AGENT: 'none' };
    expect((await runUk(['run', '-d', '--name', 'older', IMAGE], { env })).status).toBe(0);
    expect((await node.run('exec', 'older', 'true')).stderr.toString()).toBe(
      'uk: older has no agent: its kernel is older than the agent (build the image again, or give it a newer kernel)\n',
    );
  });

  test('a reader that does not read slows the command down, and the supervisor stays small', async () => {
    const { supervisor } = (await node.inspect('good')) as unknown as { supervisor: number };
    await node.uk('exec', 'good', 'true');
    const before = ownMemory(supervisor);
    const { spawn } = await import('node:child_process');
    const { root } = await import('../whole/command.ts');
    const client = spawn(join(root, 'puller/cli/uk'), ['exec', 'good', 'yes'], {
      env: { ...process.env, ...node.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    client.stdout.once('readable', () => {});
    await until('it has begun', () => client.stdout.readableLength > 0);
    const samples: number[] = [];
    for (let i = 0; i < 20; i++) {
      samples.push(ownMemory(supervisor));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    client.kill('SIGKILL');
    expect(Math.max(...samples) - before).toBeLessThan(16);
  });
});

describe('attach', () => {
  test('the program’s output as it comes; the program goes on when the client leaves', async () => {
    const ran = await runUk(['attach', '--no-stdin', 'good'], { env: node.env, timeoutMs: 2_500 });
    expect(ran.stdout.toString()).toMatch(/tick \d+\ntick \d+\n/);
    expect(await node.inspect('good')).toMatchObject({ status: 'running' });
  });

  test('its end is the client’s, with its status', async () => {
    await node.uk('run', '-d', '--name', 'ends', IMAGE, 'fail-after', '3000');
    expect((await node.run('attach', 'ends')).status).toBe(1);
    expect((await node.run('attach', 'ends')).stderr.toString()).toMatch(/^uk: instance ends does not run/);
  });
});

describe('health', () => {
  test('by a command in the guest', async () => {
    const flag = join(node.folder, 'well');
    const check = ['--health-cmd', `test -f ${flag} || { echo not yet; false; }`];
    await node.uk(
      'run',
      '-d',
      '--name',
      'checked',
      ...check,
      '--health-interval',
      '200ms',
      '--health-retries',
      '2',
      IMAGE,
    );
    await until('it is unhealthy', async () => /\(unhealthy\)/.test(await node.uk('ps')));
    expect(await node.inspect('checked')).toMatchObject({ health: { detail: 'exit status 1: not yet' } });
    await writeFile(flag, '');
    await until('it is healthy', async () => /\(healthy\)/.test(await node.uk('ps')));
  });
});

describe('stats', () => {
  test('of all that run, with what the monitor takes; a guest that says nothing has no numbers', async () => {
    const shown = JSON.parse(await node.uk('stats', '--no-stream', '--json', 'without'));
    expect(shown).toMatchObject([{ name: 'without', silence: expect.stringMatching(/no agent/) }]);
    expect(shown[0]).not.toHaveProperty('guest');
    expect(shown[0].monitor.memory).toBeGreaterThan(1024 ** 2);
  });
});

/** An archive entry as a hostile guest writes it. */
function entry(
  path: string,
  type: 'file' | 'symlink' | 'hardlink' | 'directory',
  more: { linkname?: string; text?: string } = {},
) {
  const content = Buffer.from(more.text ?? '');
  const header = headers({ path, type, mode: 0o6755, uid: 0, gid: 0, ...more }, content.length, 0);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

describe('a hostile guest', () => {
  let count = 0;
  async function hostile(kind: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const name = `hostile${count++}`;
    const ran = await runUk(['run', '-d', '--name', name, IMAGE, 'agent', kind], { env: { ...node.env, ...env } });
    expect(ran.status).toBe(0);
    return name;
  }

  test.each([
    ['huge-frame', /a frame of 2147483647 bytes/],
    ['noise', /a frame of/],
    ['overdraw', /more output than/],
    ['stray', /floods/],
    ['unknown-types', /floods/],
    ['output-before-start', /does not run/],
    ['exit-before-start', /did not run/],
    ['twice-opened', /twice/],
    ['too-much-credit', /more input than it was given/],
    ['no-numbers', /lacks the number "pid"/],
  ])('%s: said in one line, the program goes on, the agent is not asked again', async (kind, words) => {
    const name = await hostile(kind);
    const ran = await node.run('exec', name, 'true');
    expect(ran.status).toBe(1);
    expect(ran.stderr.toString()).toMatch(/^uk: the guest does not keep to its contract: .*\n$/);
    expect(ran.stderr.toString()).toMatch(words);
    expect((await node.run('exec', name, 'true')).stderr.toString()).toBe(ran.stderr.toString());
    const view = await node.inspect(name);
    expect(view).toMatchObject({ status: 'running', confirmed: true });
    const log = await node.run('logs', '--kernel', name);
    expect(log.stderr.toString()).toMatch(/does not keep to its contract.*not asked any more/);
    expect(ownMemory(view.supervisor as number)).toBeLessThan(60);
    await node.uk('rm', '-f', name);
  });

  test('control characters in what it says do not reach the terminal', async () => {
    const ran = await node.run('exec', await hostile('control-characters'), 'true');
    expect(ran.status).toBe(126);
    expect(ran.stderr.toString()).toBe('uk: ?[2J?]0;owned??gnp.exe\n');
  });

  // Each of them is waited for as long as a guest may be silent, so they are waited for together.
  describe.concurrent('does not answer', () => {
    test.each(['silent', 'deaf'])('%s: given up after a time, and the program goes on', async (kind) => {
      const name = await hostile(kind);
      const ran = await node.run('exec', name, 'true');
      expect(ran.stderr.toString()).toMatch(/^uk: the guest's agent does not answer: it was asked 30 s ago/);
      expect(await node.inspect(name)).toMatchObject({ status: 'running' });
    });

    test('one that never comes to an end: a report is given up', async () => {
      const ran = await node.run('top', await hostile('hangs'));
      expect(ran.stderr.toString()).toMatch(/^uk: the guest's agent does not answer: it does not come to an end/);
    });
  });

  describe('cp', () => {
    let outside: string;
    beforeAll(async () => {
      outside = join(node.folder, 'outside');
      await mkdir(outside);
      await writeFile(join(outside, 'kept'), 'kept');
    });

    async function copied(...entries: Buffer[]): Promise<{ said: string; to: string }> {
      const archive = Buffer.concat([...entries, Buffer.alloc(1024)]).toString('base64');
      const name = await hostile('archive', { UK_FAKE_ARCHIVE: archive });
      const to = join(node.folder, `to-${name}`);
      await mkdir(to);
      const { stderr } = await node.run('cp', `${name}:/x`, to);
      await node.uk('rm', '-f', name);
      expect(await readdir(outside)).toEqual(['kept']);
      expect(await readFile(join(outside, 'kept'), 'utf8')).toBe('kept');
      return { said: stderr.toString(), to };
    }

    test('paths that lead out are refused', async () => {
      const { said } = await copied(entry('../outside/new', 'file', { text: 'x' }));
      expect(said).toMatch(/^uk: what the guest sends is not written here: .*"\.\."/);
    });

    test('a file through a link of the archive is refused', async () => {
      const { said } = await copied(
        entry('x', 'symlink', { linkname: outside }),
        entry('x/new', 'file', { text: 'x' }),
      );
      expect(said).toMatch(/puts files through "x", which is no folder/);
    });

    test('a file over a link replaces the link', async () => {
      const { said, to } = await copied(
        entry('x', 'symlink', { linkname: join(outside, 'kept') }),
        entry('x', 'file', { text: 'x' }),
      );
      expect(said).toBe('');
      expect((await lstat(join(to, 'x'))).mode & 0o7777).toBe(0o755);
    });

    test('a further name of a file that is not the archive’s is refused', async () => {
      for (const linkname of ['../outside/kept', join(outside, 'kept'), 'elsewhere']) {
        expect((await copied(entry('x', 'hardlink', { linkname }))).said).toMatch(/is not written here/);
      }
    });

    test('a link where a folder was is refused', async () => {
      const { said } = await copied(entry('x', 'directory'), entry('x', 'symlink', { linkname: outside }));
      expect(said).toMatch(/replaces the folder "x"/);
    });

    test('a link that was here before is not followed', async () => {
      const archive = Buffer.concat([entry('x/new', 'file', { text: 'x' }), Buffer.alloc(1024)]).toString('base64');
      const name = await hostile('archive', { UK_FAKE_ARCHIVE: archive });
      const to = join(node.folder, 'prepared');
      await mkdir(to);
      await symlink(outside, join(to, 'x'));
      expect((await node.run('cp', `${name}:/x`, to)).stderr.toString()).toMatch(/no folder here/);
      expect(await readdir(outside)).toEqual(['kept']);
    });

    test('no archive at all', async () => {
      expect((await copied(Buffer.alloc(2048, 'nothing'))).said).toMatch(
        /^uk: what the guest sends is not written here/,
      );
    });
  });
});
