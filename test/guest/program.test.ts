// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Instance, startInstance } from '../../puller/index.ts';
import { buildGuestImage, Collector, type GuestImage, type Libc, runGuest } from './guest.ts';

const { SIGCONT, SIGINT, SIGKILL, SIGSEGV, SIGTERM, SIGUSR1, SIGWINCH } = constants.signals;

/** One file of /etc for programs that run as somebody else. */
const ACCOUNTS = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:Alice:/home/alice:/bin/sh\n',
  group: 'root:x:0:\nalice:x:1001:\nreaders:x:2000:bob,alice\nwriters:x:2001:bob\n',
};

describe.each<Libc>(['musl', 'glibc'])('a program with %s', (libc) => {
  let image: GuestImage;

  beforeAll(async () => {
    image = await buildGuestImage({ libc });
  });
  afterAll(() => image?.[Symbol.asyncDispose]());

  test.each([0, 1, 42, 255])('exits with %d', async (status) => {
    const { outcome } = await runGuest(image, 'exit', [String(status)]);
    expect(outcome).toMatchObject({ status, end: { status }, failure: undefined });
  });

  test.each([SIGTERM, SIGKILL, SIGSEGV])('ends by signal %d', async (signal) => {
    const { outcome } = await runGuest(image, 'exit', [String(-signal)]);
    expect(outcome).toMatchObject({ status: 128 + signal, end: { signal } });
  });

  test('runs at the privilege level of the kernel', async () => {
    const { outcome } = await runGuest(image, 'exit');
    expect(outcome.hello).toMatchObject({ contract: 2, cpl: 0, cpus: 1 });
    expect(outcome.hello?.kernel).toMatch(/^6\.12\./);
  });

  test.each([1, 2])('has %d processors', async (cpus) => {
    const { outcome, stdout } = await runGuest(image, 'processors', [], { cpus });
    expect(stdout.toString()).toBe(`processors ${cpus}\n`);
    expect(outcome.status).toBe(0);
  });
});

describe('how a program starts', () => {
  let image: GuestImage;

  beforeAll(async () => {
    image = await buildGuestImage();
  });
  afterAll(() => image?.[Symbol.asyncDispose]());

  async function report(options: Parameters<typeof runGuest>[3], args: string[] = []): Promise<string[]> {
    const { stdout, outcome } = await runGuest(image, 'report', args, options);
    expect(outcome.status).toBe(0);
    return stdout.toString().trimEnd().split('\n');
  }

  test('arguments arrive as they are', async () => {
    const args = [
      'plain',
      'two words',
      '',
      '--',
      '-x',
      '"quoted" \'too\'',
      'ünïcödé 🦄',
      'a=b',
      '$HOME `id` \\',
      'x'.repeat(100_000),
    ];
    const lines = await report({}, args);
    expect(lines.filter((line) => line.startsWith('arg'))).toEqual(args.map((argument) => `arg ${argument}`));
  });

  test('environment, with PATH and HOME where there are none', async () => {
    const lines = await report({ env: ['A=1', 'B=', 'C=x=y', 'A=2'] });
    expect(lines).toEqual(expect.arrayContaining(['env A=2', 'env B=', 'env C=x=y', 'env HOME=/root']));
    expect(lines.filter((line) => line.startsWith('env A='))).toHaveLength(1);
    expect(lines.find((line) => line.startsWith('env PATH='))).toMatch(/\/usr\/bin/);
    expect(await report({ env: ['PATH=/p', 'HOME=/h'] })).toEqual(
      expect.arrayContaining(['env PATH=/p', 'env HOME=/h']),
    );
  });

  test('three descriptors, a process group of its own, process 1 above it', async () => {
    const lines = await report({});
    expect(lines.filter((line) => line.startsWith('open'))).toEqual(['open 0', 'open 1', 'open 2']);
    expect(lines).toContain('parent 1 leader 1');
  });

  test('a working directory, made where it is missing', async () => {
    expect(await report({})).toContain('cwd /');
    expect(await report({ workingDir: '/tmp' })).toContain('cwd /tmp');
    expect(await report({ workingDir: '/new/folder/' })).toContain('cwd /new/folder');
  });

  test('a user by number', async () => {
    expect(await report({ user: '1234:56' })).toEqual(expect.arrayContaining(['user 1234:56', 'env HOME=/']));
    expect(await report({ user: '1234' })).toContain('user 1234:0');
    expect(await report({ user: '0' })).toEqual(expect.arrayContaining(['user 0:0', 'env HOME=/root']));
  });

  test('a host name', async () => {
    const { stdout } = await runGuest(image, 'tree', ['/etc/hostname'], { hostname: 'guest-7' });
    expect(stdout.toString()).toMatch(/= guest-7\n/);
  });

  test.each([
    ['/programs/none', 127, /No such file/],
    ['none', 127, /not found in PATH/],
    ['/programs', 126, /ermission denied/],
    ['/etc/passwd', 126, /ermission denied/],
  ])('%s cannot be run: %d', async (program, status, message) => {
    const { outcome, stdout } = await runGuest(image, 'x', [], { entrypoint: [program] });
    expect(outcome).toMatchObject({ status, failure: { stage: 'exec' } });
    expect(outcome.failure?.message).toMatch(message);
    expect(stdout.length).toBe(0);
  });

  test('a user that is not there', async () => {
    const { outcome } = await runGuest(image, 'exit', [], { user: 'nobody-knows' });
    expect(outcome).toMatchObject({ status: 125, failure: { stage: 'user' } });
    expect(outcome.failure?.message).toContain('nobody-knows');
  });

  test('a program from PATH', async () => {
    const { outcome } = await runGuest(image, 'x', ['9'], { entrypoint: ['exit'], env: ['PATH=/nowhere:/programs'] });
    expect(outcome.status).toBe(9);
  });
});

describe('accounts of the image', () => {
  let image: GuestImage;

  beforeAll(async () => {
    const { writeFile } = await import('node:fs/promises');
    image = await buildGuestImage({
      prepare: async (folder) => {
        const adds = [];
        for (const [name, text] of Object.entries(ACCOUNTS)) {
          await writeFile(`${folder}/${name}`, text);
          adds.push({ source: `${folder}/${name}`, destination: `/etc/${name}` });
        }
        return adds;
      },
    });
  });
  afterAll(() => image?.[Symbol.asyncDispose]());

  test('a user by name has its group, its other groups and its home', async () => {
    const { stdout } = await runGuest(image, 'report', [], { user: 'alice' });
    expect(stdout.toString()).toMatch(/^user 1000:1001$/m);
    expect(stdout.toString()).toMatch(/^group 2000$/m);
    expect(stdout.toString()).not.toMatch(/^group 2001$/m);
    expect(stdout.toString()).toMatch(/^env HOME=\/home\/alice$/m);
  });

  test('a group by name', async () => {
    const { stdout } = await runGuest(image, 'report', [], { user: 'alice:writers' });
    expect(stdout.toString()).toMatch(/^user 1000:2001$/m);
    expect(stdout.toString()).not.toMatch(/^group/m);
  });

  test('any user may open /dev/stdout', async () => {
    const { stdout } = await runGuest(image, 'report', [], { user: 'alice' });
    expect(stdout.toString()).toMatch(/^\/dev\/stdout opens$/m);
  });
});

describe('signals and the end', () => {
  let image: GuestImage;

  beforeAll(async () => {
    image = await buildGuestImage();
  });
  afterAll(() => image?.[Symbol.asyncDispose]());

  async function start(program: string, args: string[] = []): Promise<{ instance: Instance; stdout: Collector }> {
    const stdout = new Collector();
    const instance = await startInstance(image.bootable, {
      entrypoint: [`/programs/${program}`],
      args,
      stdout,
      stderr: new Collector(),
    });
    return { instance, stdout };
  }

  test('signals reach the program', async () => {
    const { instance, stdout } = await start('signals');
    await stdout.seen('ready');
    instance.signal(SIGUSR1);
    await stdout.seen(`signal ${SIGUSR1}`);
    instance.signal(SIGINT);
    await stdout.seen(`signal ${SIGINT}`);
    instance.signal(SIGTERM);
    expect(await instance.outcome).toMatchObject({ status: 7 });
    expect(stdout.text).toBe(`ready\nsignal ${SIGUSR1}\nsignal ${SIGINT}\nsignal ${SIGTERM}\n`);
  });

  test('a program that ignores them can be killed', async () => {
    const { instance, stdout } = await start('signals');
    await stdout.seen('ready');
    instance.kill();
    expect(await instance.outcome).toMatchObject({ status: 137 });
  });

  test('a signal before there is a program ends the machine', async () => {
    const { instance } = await start('signals');
    instance.signal(SIGTERM);
    expect(await instance.outcome).toMatchObject({ status: 143, hello: undefined });
  });

  test('a terminal that changes its size does not, whenever it does', async () => {
    const stdout = new Collector();
    const exited = Promise.withResolvers<void>();
    const instance = await startInstance(image.bootable, {
      entrypoint: ['/programs/exit'],
      args: ['5'],
      stdout,
      stderr: new Collector(),
      onEvent: ({ type }) => {
        if (type !== 'exit') return;
        for (const signal of [SIGWINCH, SIGCONT, SIGUSR1]) instance.signal(signal);
        exited.resolve();
      },
    });
    instance.signal(SIGWINCH);
    instance.signal(SIGCONT);
    await exited.promise;
    expect(await instance.outcome).toMatchObject({ status: 5 });
  });

  test('an abort ends it', async () => {
    const controller = new AbortController();
    const stdout = new Collector();
    const instance = await startInstance(image.bootable, {
      entrypoint: ['/programs/signals'],
      stdout,
      stderr: new Collector(),
      signal: controller.signal,
    });
    await stdout.seen('ready');
    controller.abort();
    await expect(instance.outcome).rejects.toThrow(/abort/i);
    expect((await instance.machine.exited).signal).toBe('SIGKILL');
  });

  test('children that hold its outputs open do not hold up the end', async () => {
    const { outcome, stdout, stderr } = await runGuest(image, 'background');
    expect(outcome.status).toBe(3);
    expect(stdout.toString()).toBe('last words\n');
    expect(stderr.toString()).toMatch(/^\.+$/);
  });
});
