// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { digestOf } from '../../image-format/index.ts';
import { BuildCache } from '../build-cache.ts';
import { muslSource, sourceVersion } from './musl-source.ts';

const DSC = 'Format: 3.0 (quilt)\nSource: musl\nVersion: 1.2.3-1+deb12u1\n';

let folder: string;
let cache: BuildCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-musl-'));
  cache = new BuildCache(join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('the version is that of the distribution', () => {
  expect(sourceVersion(DSC)).toBe('1.2.3-1+deb12u1');
  expect(sourceVersion(DSC.replace('Source: musl', 'Source: other'))).toBeUndefined();
  expect(sourceVersion('')).toBeUndefined();
});

test('takes the source that is named', async () => {
  const dsc = join(folder, 'musl.dsc');
  await writeFile(dsc, DSC);
  vi.stubEnv('UK_MUSL_SOURCE', dsc);
  expect(await muslSource(cache)).toEqual({ dsc, version: '1.2.3-1+deb12u1', digest: digestOf(DSC) });
});

test('says what is wrong with a source that is named', async () => {
  vi.stubEnv('UK_MUSL_SOURCE', join(folder, 'none.dsc'));
  await expect(muslSource(cache)).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining('none.dsc'),
    hint: expect.stringContaining('UK_MUSL_SOURCE'),
  });
});

/** An apt-get that notes what it is asked, and gives a source or not. */
async function standInForApt(script: string): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'apt-get'), `#!/bin/sh\necho "$@" >>${folder}/asked\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  vi.stubEnv('UK_MUSL_SOURCE', '');
}

const GIVES = `case "$*" in *source*) printf '${DSC.replaceAll('\n', '\\n')}' >musl_1.dsc ;; esac`;

test('asks apt once, and keeps what it gave', async () => {
  await standInForApt(GIVES);
  const fetched = vi.fn();
  const first = await muslSource(cache, { onFetch: fetched });
  expect(first.version).toBe('1.2.3-1+deb12u1');
  expect(await muslSource(cache, { onFetch: fetched })).toEqual(first);
  expect(fetched).toHaveBeenCalledTimes(1);
  await muslSource(cache, { onFetch: fetched, fresh: true });
  expect(fetched).toHaveBeenCalledTimes(2);
});

test('a source that cannot be had anew stays', async () => {
  await standInForApt(GIVES);
  const first = await muslSource(cache);
  await writeFile(join(folder, 'bin', 'apt-get'), '#!/bin/sh\nexit 100\n', { mode: 0o755 });
  await expect(muslSource(cache, { fresh: true })).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  expect(await muslSource(cache)).toEqual(first);
});

test('an update that fails for others does not matter', async () => {
  await standInForApt(`case "$*" in *update*) exit 100 ;; esac\n${GIVES}`);
  expect((await muslSource(cache)).version).toBe('1.2.3-1+deb12u1');
});

test('without a network it says what apt said, and leaves nothing', async () => {
  await standInForApt('echo "E: Unable to find a source package for musl" >&2; exit 100');
  await expect(muslSource(cache)).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining('Unable to find a source package'),
  });
  await writeFile(join(folder, 'bin', 'apt-get'), `#!/bin/sh\n${GIVES}\n`, { mode: 0o755 });
  expect((await muslSource(cache)).version).toBe('1.2.3-1+deb12u1');
});
