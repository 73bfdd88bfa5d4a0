// SPDX-License-Identifier: Apache-2.0
// The package as a user gets it: packed, installed into an empty folder, run where the system's node is too old.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunOptions, root, type Server, serveRegistry, uk } from '../whole/command.ts';
import { everythingWorks } from '../whole/everything.suite.ts';

let folder: string;
let installed: RunOptions;
let registry: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-package-'));
  execFileSync('npm', ['pack', '--loglevel=error', '--pack-destination', folder], { cwd: root, stdio: 'pipe' });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const prefix = join(folder, 'prefix');
  await mkdir(prefix);
  execFileSync(
    'npm',
    ['install', '--loglevel=error', '--no-audit', '--no-fund', '--prefix', prefix, join(folder, tarball)],
    {
      cwd: prefix,
      stdio: 'pipe',
    },
  );
  // What a script finds as `node` on a machine whose node is too old: something that fails at our sources.
  const old = join(folder, 'old-node');
  await mkdir(old);
  await writeFile(join(old, 'node'), '#!/bin/sh\necho "this node is too old" >&2\nexit 9\n');
  await chmod(join(old, 'node'), 0o755);
  installed = {
    command: join(prefix, 'node_modules/.bin/uk'),
    cwd: prefix,
    env: { PATH: `${old}:${process.env.PATH}` },
  };
  registry = await serveRegistry(join(folder, 'registry'), installed);
});

afterAll(async () => {
  expect(await registry?.stop()).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

test('says its version and its help', async () => {
  expect(await uk(['--version'], installed)).toMatch(/^\d+\.\d+\.\d+$/);
  expect(await uk(['--help'], installed)).toContain('uk build');
});

everythingWorks(() => ({ folder, registry, options: installed }));
