// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { buildCalls } from './calls/build-calls.ts';
import { kernelFor } from './kernel-for.ts';
import { kernelBuildRequirements, requireBuildTools } from './requirements.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-requirements-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('finds tools by PATH', async () => {
  const found = new Map((await kernelBuildRequirements()).map((requirement) => [requirement.name, requirement.found]));
  expect(found.get('tar')).toMatch(/^\/.*\/tar$/);
  expect([...found.keys()]).toEqual(
    expect.arrayContaining(['linux-source-6.12', 'gcc', 'flex', 'bison', 'bc', 'libelf', 'musl-gcc']),
  );
});

test('names all that is missing and one command for it', async () => {
  vi.stubEnv('PATH', folder);
  vi.stubEnv('UK_LINUX_SOURCE', join(folder, 'none.tar.xz'));
  await expect(requireBuildTools()).rejects.toMatchObject({
    code: 'REQUIREMENTS_MISSING',
    message: expect.stringMatching(/lacks linux-source-6.12, gcc, ld, strip, make, .*musl-gcc, libc, libelf$/),
    hint: expect.stringMatching(
      /^apt-get install linux-source-6.12 gcc binutils make flex bison bc patch tar xz-utils musl-tools libc6-dev libelf-dev; or .*--kernel/,
    ),
  });
});

test('the library of --calls wants a compiler and no more', async () => {
  vi.stubEnv('PATH', folder);
  await expect(buildCalls(folder)).rejects.toMatchObject({
    code: 'REQUIREMENTS_MISSING',
    message: 'to build the library of --calls this machine lacks gcc, ld',
    hint: 'apt-get install gcc binutils',
  });
});

test('without a source there is no kernel, and nothing in the cache', async () => {
  vi.stubEnv('UK_LINUX_SOURCE', join(folder, 'none.tar.xz'));
  await expect(
    kernelFor({ variant: 'default', fragments: [] }, { cacheDir: join(folder, 'cache') }),
  ).rejects.toMatchObject({
    code: 'REQUIREMENTS_MISSING',
    message: expect.stringContaining('linux-source-6.12'),
  });
});
