// SPDX-License-Identifier: Apache-2.0
// The main job, end to end: a program → an image → a registry → another node's empty store → a guest that ran it.
import { mkdirSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runUk, type Server, serveRegistry, uk } from './command.ts';
import { everythingWorks } from './everything.suite.ts';

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

everythingWorks(() => ({ folder, registry, options: {} }));

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

  const mixed = ['build', '-t', 'mixed:1', '--app', join(folder, 'one', 'everything'), '--kernel', kernel];
  const refused = await runUk([...mixed, '--compression', 'gzip'], { env: without });
  expect(refused.status).toBe(2);
  expect(refused.stderr.toString()).toMatch(/^uk: the kernel of .* is compressed with zstd, not gzip/m);
});

test('--from keeps how an image is compressed', async () => {
  const env = { UK_STORE: join(folder, 'gzip') };
  await uk(['build', '-t', 'old:1', '--app', join(folder, 'one', 'everything'), '--compression', 'gzip'], { env });
  await uk(['build', '-t', 'old:2', '--from', 'old:1', '-e', 'A=1'], { env });
  const { manifest } = JSON.parse(await uk(['inspect', '--json', 'old:2'], { env })) as {
    manifest: { layers: { mediaType: string }[] };
  };
  expect(new Set(manifest.layers.map(({ mediaType }) => mediaType.split('+')[1]))).toEqual(new Set(['gzip']));
});
