// SPDX-License-Identifier: Apache-2.0
// The main job, end to end: a program → an image → a registry → another node's empty store → a guest that ran it.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, runUk, type Server, serveRegistry, uk } from './command.ts';

const UP = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
const DOWN = Buffer.from(Array.from({ length: 100_000 }, (_, index) => 255 - (index % 256)));

let folder: string;
let registry: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-main-job-'));
  registry = await serveRegistry(join(folder, 'registry'));
});

afterAll(async () => {
  expect(await registry?.stop()).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

const COMPILERS = {
  'static musl': ['musl-gcc', '-static'],
  'dynamic glibc': ['gcc', '-pthread'],
} as const;

describe.each(Object.entries(COMPILERS))('a program linked as %s', (kind, [compiler, ...flags]) => {
  const name = kind.replace(' ', '-');
  const reference = () => `${registry.host}/everything/${name}:1`;

  beforeAll(async () => {
    const program = join(folder, `everything-${name}`);
    execFileSync(compiler, [...flags, '-O2', join(root, 'test/programs/everything.c'), '-o', program]);
    const store = { env: { UK_STORE: join(folder, `builder-${name}`) } };
    await uk(['build', '-t', reference(), '--app', program], store);
    await uk(['push', reference()], store);
    await uk(['pull', reference()], { env: { UK_STORE: join(folder, `node-${name}`) } });
  });

  test.each([1, 2])('runs with %i processors: every byte of its output, and its status', async (cpus) => {
    const ran = await runUk(['run', '--cpus', String(cpus), reference()], {
      env: { UK_STORE: join(folder, `node-${name}`) },
    });
    expect(ran.stderr.equals(DOWN), ran.stderr.toString('latin1').slice(0, 2000)).toBe(true);
    const line = `cpl=0 cpus=${cpus}\n`;
    expect(ran.stdout.subarray(0, line.length).toString()).toBe(line);
    expect(ran.stdout.subarray(line.length).equals(UP)).toBe(true);
    expect(ran.status).toBe(42);
  });
});

test('two builds of the same input in two folders have one digest', async () => {
  const digests = [];
  for (const place of ['one', 'two']) {
    const here = join(folder, place);
    mkdirSync(here);
    await cp(join(folder, 'everything-static-musl'), join(here, 'everything'));
    const env = { UK_STORE: join(here, 'store') };
    const built = await uk(['build', '--json', '-t', 'same:1', '--app', './everything'], { env, cwd: here });
    digests.push((JSON.parse(built) as { digest: string }).digest);
  }
  expect(digests[0]).toMatch(/^sha256:/);
  expect(digests[1]).toBe(digests[0]);
});

test('--from replaces the config layer and nothing else', async () => {
  const env = { UK_STORE: join(folder, 'builder-static-musl') };
  const from = `${registry.host}/everything/static-musl:1`;
  await uk(['build', '-t', 'changed:1', '--from', from, '-e', 'GREETING=hello'], { env });
  const [before, after] = await Promise.all(
    [from, 'changed:1'].map(async (image) => JSON.parse(await uk(['inspect', '--json', image], { env }))),
  );
  expect(after.config.config.Env).toContain('GREETING=hello');
  expect(after.config.config.Entrypoint).toEqual(before.config.config.Entrypoint);
  const digests = (image: { layers: { digest: string }[] }) => image.layers.slice(0, 3).map(({ digest }) => digest);
  expect(digests(after)).toEqual(digests(before));
});

test('a kernel image spares the compiler: the image made with it is the same', async () => {
  const env = { UK_STORE: join(folder, 'kernel-owner') };
  const kernel = `${registry.host}/kernels/microvm:test`;
  await uk(['kernel', 'push', kernel], { env });
  const without = { UK_STORE: join(folder, 'no-compiler'), XDG_CACHE_HOME: join(folder, 'no-cache') };
  const built = await uk(
    ['build', '--json', '-t', 'same:1', '--app', join(folder, 'one', 'everything'), '--kernel', kernel],
    { env: without },
  );
  const other = JSON.parse(
    await uk(['inspect', '--json', 'same:1'], { env: { UK_STORE: join(folder, 'one', 'store') } }),
  );
  expect((JSON.parse(built) as { digest: string }).digest).toBe(other.descriptor.digest);
});
