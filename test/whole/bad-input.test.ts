// SPDX-License-Identifier: Apache-2.0
// What goes wrong says so in one line, with the right status, and leaves nothing behind.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunOptions, root, runUk, type Server, serveRegistry, uk } from './command.ts';

let folder: string;
let registry: Server;
let hello: string;
let reference: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-bad-input-'));
  registry = await serveRegistry(join(folder, 'registry'));
  hello = join(folder, 'hello');
  execFileSync('musl-gcc', ['-static', '-O2', join(root, 'test/programs/hello.c'), '-o', hello]);
  reference = `${registry.host}/hello:1`;
  const env = { UK_STORE: join(folder, 'good') };
  await uk(['build', '-t', reference, '--app', hello], { env });
  await uk(['push', reference], { env });
});

afterAll(async () => {
  expect(await registry?.stop()).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

/** Runs what must fail. @returns the one line that says why */
async function failure(args: string[], status: number, options: RunOptions = {}): Promise<string> {
  const ran = await runUk(args, options);
  const stderr = ran.stderr.toString();
  // On a machine that never ran a guest, the first one is told of.
  const lines = stderr.split('\n').filter((line) => !line.startsWith('uk: finding out once'));
  const said = lines.filter((line) => line.startsWith('uk: '));
  expect(said, stderr).toHaveLength(1);
  expect(ran.status, stderr).toBe(status);
  expect(ran.stdout.toString()).toBe('');
  return said[0] ?? '';
}

/** A store of its own, which must be without names and without half-written files when the work has failed. */
async function inFreshStore(work: (env: NodeJS.ProcessEnv, store: string) => Promise<void>): Promise<void> {
  const store = await mkdtemp(join(folder, 'store-'));
  await work({ UK_STORE: store }, store);
  const left = await readdir(store, { recursive: true, withFileTypes: true });
  const strays = left.filter(
    (entry) => entry.isFile() && /(?:^|\/)(?:ingest|names)(?:\/|$)/.test(`${entry.parentPath.slice(store.length)}/`),
  );
  expect(strays.map(({ name }) => name)).toEqual([]);
  expect(await uk(['images', '--json'], { env: { UK_STORE: store } })).toBe('[]');
}

test('--env-file is an option of uk, and not taken by the node that runs it', async () => {
  const missing = join(folder, 'no-variables');
  expect(await failure(['run', '--env-file', missing, reference], 2)).toContain(`cannot read ${missing}`);
});

describe('build', () => {
  const build = (app: string) => ['build', '-t', 'x:1', '--app', app];

  test('a file that is no ELF file', () =>
    inFreshStore(async (env) => {
      const file = join(folder, 'text');
      await writeFile(file, 'just words\n', { mode: 0o755 });
      expect(await failure(build(file), 1, { env })).toMatch(/not an ELF file.*text/);
    }));

  test('a file that is not there', () =>
    inFreshStore(async (env) => {
      expect(await failure(build('/no/such/program'), 1, { env })).toContain('/no/such/program');
    }));

  test("another machine's ELF file", () =>
    inFreshStore(async (env) => {
      const file = join(folder, 'foreign');
      const bytes = await readFile(hello);
      // e_machine, elf(5): EM_AARCH64
      bytes.writeUInt16LE(183, 18);
      await writeFile(file, bytes, { mode: 0o755 });
      expect(await failure(build(file), 1, { env })).toMatch(/foreign.*aarch64/i);
    }));

  test('a library that is missing, and who needs it', () =>
    inFreshStore(async (env) => {
      const source = join(folder, 'needs.c');
      await writeFile(source, 'int f(void); int main(void) { return f(); }\n');
      await writeFile(join(folder, 'gone.c'), 'int f(void) { return 0; }\n');
      const library = join(folder, 'libgone.so');
      execFileSync('gcc', ['-shared', '-fPIC', join(folder, 'gone.c'), '-o', library]);
      execFileSync('gcc', [source, '-o', join(folder, 'needs'), `-L${folder}`, '-lgone']);
      await rm(library);
      const said = await failure(build(join(folder, 'needs')), 1, { env });
      expect(said).toContain('libgone.so');
      expect(said).toContain('needs');
    }));

  test('an unknown profile, and the known ones', () =>
    inFreshStore(async (env) => {
      const said = await failure([...build(hello), '--profile', 'toaster'], 1, { env });
      expect(said).toContain('toaster');
      expect(said).toContain('qemu-microvm');
    }));

  test.each(['x/UPPER:1', 'a:b:c', 'host:99999/x', '../etc/passwd', 'x@sha256:12'])('the reference %j', (text) =>
    inFreshStore(async (env) => {
      expect(await failure(['build', '-t', text, '--app', hello], 1, { env })).toContain('not an image reference');
    }),
  );

  test('neither --app nor --from is misuse', async () => {
    expect(await failure(['build', '-t', 'x:1'], 2)).toContain('--app');
  });
});

describe('push and pull', () => {
  test('a registry that is not there', () =>
    inFreshStore(async (env) => {
      const port = await freePort();
      const said = await failure(['pull', `127.0.0.1:${port}/x:1`], 1, { env });
      expect(said).toContain(`127.0.0.1:${port}`);
    }));

  test('an image that the registry does not hold', () =>
    inFreshStore(async (env) => {
      expect(await failure(['pull', `${registry.host}/nothing:1`], 1, { env })).toContain('nothing:1');
    }));

  test('an image that the store does not hold', () =>
    inFreshStore(async (env) => {
      expect(await failure(['push', `${registry.host}/nothing:1`], 1, { env })).toContain('no image');
    }));

  test.each(['truncated', 'altered'] as const)('a blob that was %s on the way', (how) =>
    inFreshStore(async (env) => {
      const broken = join(folder, `registry-${how}`);
      execFileSync('cp', ['-r', join(folder, 'registry'), broken]);
      await damage(await largestFile(broken), how);
      // The copy brought with it who runs on the original.
      for (const name of await readdir(broken)) if (name.startsWith('server.')) await rm(join(broken, name));
      const server = await serveRegistry(broken);
      try {
        const said = await failure(['pull', `${server.host}/hello:1`], 1, { env });
        expect(said).toMatch(/sha256:|bytes|cut|ended/);
      } finally {
        await server.stop();
      }
    }),
  );
});

const mayMount = process.getuid?.() === 0 && canMount();

describe.skipIf(!mayMount)(mayMount ? 'a full disk' : 'a full disk (skipped: cannot mount a small one here)', () => {
  test('names the store and leaves no half of a blob', async () => {
    const store = await mkdtemp(join(folder, 'full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', store]);
    try {
      const said = await failure(['pull', reference], 1, { env: { UK_STORE: store } });
      expect(said).toMatch(/no space|full/i);
      expect(said).toContain(store);
      expect(await readdir(join(store, 'ingest'))).toEqual([]);
      expect(await uk(['images', '--json'], { env: { UK_STORE: store } })).toBe('[]');
    } finally {
      execFileSync('umount', [store]);
    }
  });
});

describe('run', () => {
  test('a port in use', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    try {
      const env = { UK_STORE: join(folder, 'good') };
      expect(await failure(['run', '-p', `127.0.0.1:${port}:80`, reference], 1, { env })).toContain(String(port));
    } finally {
      server.close();
    }
  });

  test('no QEMU', async () => {
    // What the launcher itself needs, and nothing else.
    const bin = join(folder, 'bin');
    await mkdir(bin);
    for (const tool of ['sh', 'readlink']) await symlink(`/bin/${tool}`, join(bin, tool));
    const env = { UK_STORE: join(folder, 'good'), PATH: bin };
    const said = await failure(['run', reference], 1, { env });
    expect(said).toMatch(/qemu/i);
    expect(said).toContain('apt');
  });

  test('a program that the image does not have', async () => {
    const env = { UK_STORE: join(folder, 'good') };
    const said = await failure(['run', '--entrypoint', '/no/such/program', reference], 127, { env });
    expect(said).toContain('/no/such/program');
  });

  test.each([
    ['--memory', 'lots'],
    ['--cpus', '0'],
    ['-p', '80'],
  ])('%s %s is misuse', async (option, value) => {
    const ran = await runUk(['run', option, value, reference]);
    expect(ran.status).toBe(2);
    expect(ran.stderr.toString()).toMatch(new RegExp(`^uk: .*${value}`));
  });
});

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** The kernel layer's bytes, wherever the storage keeps them. */
async function largestFile(under: string): Promise<string> {
  let largest = { path: '', size: 0 };
  for (const entry of await readdir(under, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    if (entry.isFile() && size > largest.size) largest = { path, size };
  }
  return largest.path;
}

async function damage(path: string, how: 'truncated' | 'altered'): Promise<void> {
  const { size } = await stat(path);
  if (how === 'truncated') return truncate(path, size - 1000);
  const file = await open(path, 'r+');
  await file.write(Buffer.from('damage'), 0, 6, Math.floor(size / 2));
  await file.close();
}

describe('output that has nowhere to go', () => {
  const env = () => ({ UK_STORE: join(folder, 'good') });
  const shell = (script: string) =>
    runUk(['-c', script], { command: 'sh', env: { ...env(), UK: join(root, 'puller/cli/uk') } });

  test('a full disk is a failure, said once', async () => {
    const ran = await shell('"$UK" images >/dev/full');
    expect(ran.status).toBe(1);
    expect(ran.stderr.toString()).toMatch(/^uk: cannot write the output: .*\n$/);
  });

  test('a reader that has left is none', async () => {
    expect((await shell(`"$UK" inspect --json ${reference} | head -c 0`)).stderr.toString()).toBe('');
  });
});
