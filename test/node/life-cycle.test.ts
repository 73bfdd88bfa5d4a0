// SPDX-License-Identifier: Apache-2.0
// The life of instances, by the command as a user has it. The monitor is the stand-in of fake-monitor.ts.
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeNode, fakeNode, IMAGE, until } from './fake-node.ts';

let node: FakeNode;
beforeAll(async () => {
  node = await fakeNode();
});
afterAll(() => node?.[Symbol.asyncDispose]());

async function failure(...args: string[]): Promise<string> {
  const { status, stderr } = await node.run(...args);
  expect(status).not.toBe(0);
  return stderr.toString();
}

test('run -d, ps, logs, stop, start, rm', async () => {
  const id = await node.uk('run', '-d', '--name', 'web', IMAGE, 'ticks');
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(await node.uk('ps')).toMatch(new RegExp(`^${id.slice(0, 12)} .*Up .* web$`, 'm'));
  expect(await node.uk('ps', '-q', '--no-trunc')).toBe(id);
  await until('a line is logged', async () => /^tick 1$/m.test(await node.uk('logs', 'web')));
  expect(await node.uk('stop', id.slice(0, 6))).toBe(id.slice(0, 6));
  expect(await node.uk('ps', '-q')).toBe('');
  expect(await node.uk('ps', '-a')).toMatch(/Exited \(143\) .* ago/);
  expect(await node.inspect('web')).toMatchObject({
    status: 'exited',
    stopped: true,
    end: { status: 143, signal: 15 },
  });
  expect(node.processes()).toEqual([]);
  expect(await node.uk('start', 'web')).toBe('web');
  expect(await node.inspect('web')).toMatchObject({ status: 'running', confirmed: true });
  expect(await node.uk('start', 'web')).toBe('web');
  expect(node.processes()).toHaveLength(2);
  expect(await failure('rm', 'web')).toMatch(/instance web runs/);
  expect(await node.uk('rm', '-f', 'web')).toBe('web');
  expect(node.processes()).toEqual([]);
  expect(await node.uk('ps', '-aq')).toBe('');
  expect(await failure('logs', 'web')).toMatch(/no instance web/);
});

test('create, wait, exit status, logs of both streams', async () => {
  await node.uk('create', '--name', 'job', IMAGE, 'exit', '3');
  expect(await node.uk('ps', '-a')).toMatch(/Created/);
  await node.uk('start', 'job');
  expect(await node.uk('wait', 'job')).toBe('3');
  await node.uk('rm', 'job');
  const { status, stderr } = await node.run('run', '-d', '--name', 'hello', IMAGE, 'echo', 'good', 'day');
  expect(status, stderr.toString()).toBe(0);
  expect(await node.uk('wait', 'hello')).toBe('0');
  const shown = await node.run('logs', 'hello');
  expect([shown.stdout.toString(), shown.stderr.toString()]).toEqual(['good day\n', 'and an error\n']);
  expect(await node.uk('logs', '-t', '--tail', '5', 'hello')).toMatch(/^\d{4}-\d\d-\d\dT\S+Z good day$/m);
  expect(await node.uk('logs', '--since', '2000-01-01', '--until', '2001-01-01', 'hello')).toBe('');
  await node.uk('rm', 'hello');
});

test('logs -f goes on until the end', async () => {
  await node.uk('run', '-d', '--name', 'follow', IMAGE, 'ticks');
  const followed = node.uk('logs', '-f', 'follow');
  await until('some ticks', async () => /tick 9/.test(await node.uk('logs', 'follow')));
  await node.uk('stop', 'follow');
  const lines = (await followed).split('\n');
  expect(lines).toEqual(lines.map((_, at) => `tick ${at}`));
  await node.uk('rm', 'follow');
});

describe('names', () => {
  test('are unique, can be changed, and are made up', async () => {
    const id = await node.uk('create', '--name', 'one', IMAGE);
    expect(await failure('create', '--name', 'one', IMAGE)).toMatch(/has the name one/);
    expect(await failure('create', '--name', '../x', IMAGE)).toMatch(/not a name for an instance/);
    await node.uk('rename', 'one', 'two');
    expect((await node.inspect('two')).id).toBe(id);
    const other = await node.uk('create', IMAGE);
    expect((await node.inspect(other)).name).toMatch(/^[a-z]+_[a-z]+\d*$/);
    expect(await node.uk('rm', 'two', other)).toBe(`two\n${other}`);
  });

  test('of ten at once with one name, one is made', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => node.run('create', '--name', 'same', IMAGE)));
    expect(all.filter(({ status }) => status === 0)).toHaveLength(1);
    await node.uk('rm', 'same');
  });
});

test('of ten starts at once one starts it', async () => {
  await node.uk('create', '--name', 'once', IMAGE);
  const all = await Promise.all(Array.from({ length: 10 }, () => node.run('start', 'once')));
  expect(all.map(({ status }) => status)).toEqual(all.map(() => 0));
  expect(node.processes()).toHaveLength(2);
  await node.uk('rm', '-f', 'once');
});

describe('ends', () => {
  test('a program that does not obey is killed when its time is over', async () => {
    await node.uk('run', '-d', '--name', 'stubborn', IMAGE, 'stubborn');
    const begin = performance.now();
    await node.uk('stop', '-t', '1', 'stubborn');
    expect(performance.now() - begin).toBeGreaterThan(1_000);
    expect(await node.inspect('stubborn')).toMatchObject({ end: { status: 137, signal: 9 } });
    await node.uk('rm', 'stubborn');
  });

  test('so is a guest that does not even kill it', async () => {
    await node.uk('run', '-d', '--name', 'deaf', IMAGE, 'deaf');
    await node.uk('kill', 'deaf');
    expect(await node.inspect('deaf')).toMatchObject({ status: 'exited', end: { status: 137 } });
    expect(node.processes()).toEqual([]);
    expect(await failure('kill', 'deaf')).toMatch(/does not run/);
    await node.uk('rm', 'deaf');
  });

  test('--stop-signal, kill -s, restart', async () => {
    await node.uk('run', '-d', '--name', 'quit', '--stop-signal', 'QUIT', IMAGE, 'sleep');
    const before = await node.inspect('quit');
    await node.uk('restart', 'quit');
    const after = await node.inspect('quit');
    expect(after).toMatchObject({ status: 'running', supervisor: before.supervisor, end: { signal: 3 } });
    expect(after.monitor).not.toBe(before.monitor);
    await node.uk('kill', '-s', 'USR1', 'quit');
    expect(await node.uk('wait', 'quit')).toBe('138');
    await node.uk('restart', 'quit');
    expect(await node.inspect('quit')).toMatchObject({ status: 'running' });
    await node.uk('rm', '-f', 'quit');
  });

  test('--rm removes it, also when its start fails', async () => {
    await node.uk('run', '-d', '--rm', '--name', 'gone', IMAGE, 'fail-after', '300');
    await until('it is removed', async () => (await node.uk('ps', '-aq')) === '');
    const { status, stderr } = await node.run('run', '-d', '--rm', IMAGE, 'missing');
    expect([status, stderr.toString()]).toEqual([127, expect.stringMatching(/cannot run \/missing/)]);
    expect(await node.uk('ps', '-aq')).toBe('');
    expect(await readdir(join(node.store, 'instances/.unfinished'))).toEqual([]);
  });

  test('--ttl', async () => {
    await node.uk('run', '-d', '--name', 'short', '--ttl', '500ms', '--restart', 'always', IMAGE);
    expect(await node.uk('wait', 'short')).toBe('143');
    await node.uk('rm', 'short');
  });
});

test('why it ended is in its record: a panic, a program that is missing, a port that is taken', async () => {
  await node.uk('run', '-d', '--name', 'panic', IMAGE, 'crash');
  await node.uk('wait', 'panic');
  expect(await node.uk('inspect', 'panic')).toMatch(/reason +.*its kernel panicked: a test/);
  expect(await node.uk('logs', '--kernel', 'panic')).toMatch(/Kernel panic/);
  expect(await failure('run', '-d', '--name', 'missing', IMAGE, 'missing')).toMatch(/cannot run \/missing/);
  expect(await node.inspect('missing')).toMatchObject({ end: { status: 127, reason: { code: 'PROGRAM_UNUSABLE' } } });
  await node.uk('run', '-d', '--name', 'server', '-p', '127.0.0.1:0:80', IMAGE, 'serve');
  const address = await node.uk('port', 'server', '80');
  expect(await (await fetch(`http://${address}/`)).text()).toBe('port 80\n');
  expect(await node.uk('port', 'server')).toBe(`80/tcp -> ${address}`);
  const taken = await failure('run', '-d', '--name', 'second', '-p', `${address}:80`, IMAGE, 'serve');
  expect(taken).toMatch(/cannot listen at .* it is in use/);
  expect(await node.inspect('second')).toMatchObject({ status: 'exited', end: { reason: { code: 'PORT_IN_USE' } } });
  await node.uk('rm', '-f', 'panic', 'missing', 'server', 'second');
});

describe('restart policies', () => {
  test('on-failure:2 tries twice more', async () => {
    await node.uk('run', '-d', '--name', 'flaps', '--restart', 'on-failure:2', IMAGE, 'fail-after', '50');
    expect(await node.uk('wait', 'flaps')).toBe('1');
    expect(await node.inspect('flaps')).toMatchObject({ status: 'exited', restarts: 2 });
    const actions = (await node.uk('events', '--since', '1m', '--until', '0s', '--json'))
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ name }) => name === 'flaps')
      .map(({ action }) => action);
    expect(actions).toEqual(['create', 'start', 'die', 'restart', 'start', 'die', 'restart', 'start', 'die']);
    await node.uk('rm', 'flaps');
  });

  test('always goes on until it is stopped, also in a pause', async () => {
    await node.uk('run', '-d', '--name', 'always', '--restart', 'always', IMAGE, 'fail-after', '10');
    await until('it pauses', async () => {
      const view = await node.inspect('always');
      return view.status === 'restarting' && Number(view.restarts) > 3;
    });
    await node.uk('stop', 'always');
    expect(node.processes()).toEqual([]);
    await node.uk('rm', 'always');
  });

  test('start --policy starts what was lost, and not what was stopped', async () => {
    await node.uk('run', '-d', '--name', 'lost', '--restart', 'unless-stopped', IMAGE);
    await node.uk('run', '-d', '--name', 'stopped', '--restart', 'unless-stopped', IMAGE);
    await node.uk('run', '-d', '--name', 'plain', IMAGE);
    await node.uk('stop', 'stopped');
    for (const name of ['lost', 'plain']) process.kill(Number((await node.inspect(name)).supervisor), 'SIGKILL');
    const { id } = await node.inspect('lost');
    expect(await node.uk('start', '--policy')).toBe(id);
    expect((await node.inspect('lost')).status).toBe('running');
    expect((await node.inspect('plain')).status).toBe('exited');
    await node.uk('rm', '-f', 'lost', 'stopped', 'plain');
  });
});

test('health: an answer makes it healthy, a bad one unhealthy', async () => {
  const times = ['--health-interval', '200ms', '--health-retries', '2'];
  await node.uk('run', '-d', '--name', 'well', '--health-http', '8080/', ...times, IMAGE, 'serve');
  await node.uk('run', '-d', '--name', 'sick', '--health-http', '8080/sick', ...times, IMAGE, 'serve');
  await node.uk('run', '-d', '--name', 'open', '--health-tcp', '80', '-p', '127.0.0.1:0:80', ...times, IMAGE, 'serve');
  for (const [name, words] of [
    ['well', 'healthy'],
    ['open', 'healthy'],
    ['sick', 'unhealthy'],
  ] as const) {
    await until(`${name} is ${words}`, async () => (await node.uk('ps')).includes(`(${words})`));
    await until(`${name}`, async () => JSON.stringify((await node.inspect(name)).health).includes(`"${words}"`));
  }
  // The port for the check is nobody else's.
  expect(await node.uk('port', 'well')).toBe('');
  await node.uk('rm', '-f', 'well', 'sick', 'open');
});

test('--cidfile holds the id, and is never written over', async () => {
  const file = join(node.folder, 'cid');
  const id = await node.uk('create', '--cidfile', file, IMAGE);
  expect(await readFile(file, 'utf8')).toBe(id);
  expect(await failure('create', '--cidfile', file, IMAGE)).toMatch(/is there already/);
  await node.uk('rm', id);
});

describe('what is on disk is checked', () => {
  test('after a start of the machine nothing runs any more', async () => {
    await node.uk('run', '-d', '--name', 'reboot', IMAGE);
    const { folder, supervisor } = await node.inspect('reboot');
    process.kill(Number(supervisor), 'SIGKILL');
    const claims = join(String(folder), 'claims');
    for (const name of await readdir(claims)) {
      const text = await readFile(join(claims, name), 'utf8');
      // A process of that number and start is there: this one's.
      const { owner } = JSON.parse(text);
      await writeFile(
        join(claims, name),
        text.replace(owner.boot, 'another').replace(`"pid":${owner.pid}`, `"pid":${process.pid}`),
      );
    }
    expect(await node.inspect('reboot')).toMatchObject({
      ...{
        status: 'exited',
        end: { status: 255, reason: { message: expect.stringMatching(/the machine went down/) } },
      },
    });
    await node.uk('start', 'reboot');
    await node.uk('rm', '-f', 'reboot');
  });

  test('lost logs and a damaged state change nothing else', async () => {
    await node.uk('run', '-d', '--name', 'damaged', IMAGE, 'ticks');
    const { folder } = await node.inspect('damaged');
    const { rm } = await import('node:fs/promises');
    await rm(join(String(folder), 'logs'), { recursive: true });
    expect(await node.uk('logs', 'damaged')).toBe('');
    await writeFile(join(String(folder), 'state.json'), '{"version":1,');
    expect((await node.inspect('damaged')).status).toBe('starting');
    await node.uk('stop', 'damaged');
    expect((await node.inspect('damaged')).status).toBe('exited');
    await writeFile(join(String(folder), 'config.json'), 'x');
    expect(await failure('inspect', '--type', 'instance', 'damaged')).toMatch(
      /the record of instance .* cannot be read/,
    );
    expect((await node.run('ps', '-a')).stderr.toString()).toMatch(/cannot be read/);
    await node.uk('rm', '-f', 'damaged');
    expect(await node.uk('ps', '-aq')).toBe('');
  });

  test('a supervisor that is stopped is said to be silent, and rm -f ends it', async () => {
    await node.uk('run', '-d', '--name', 'silent', IMAGE);
    const { supervisor } = await node.inspect('silent');
    process.kill(Number(supervisor), 'SIGSTOP');
    expect(await node.uk('ps')).toMatch(/silent/);
    await node.uk('rm', '-f', 'silent');
    expect(node.processes()).toEqual([]);
  });
});

// It takes the image away: no test comes after it.
test('an instance keeps its image when that has lost its name', async () => {
  await node.uk('run', '-d', '--name', 'keeps', IMAGE);
  const blobs = join(node.store, 'blobs/sha256');
  const all = await readdir(blobs);
  for (const name of all) await utimes(join(blobs, name), new Date(0), new Date(0));
  await node.uk('rmi', IMAGE);
  expect(await readdir(blobs)).toEqual(all);
  await node.uk('restart', 'keeps');
  await node.uk('stop', 'keeps');
  await node.uk('start', 'keeps');
  await node.uk('rm', '-f', 'keeps');
});
