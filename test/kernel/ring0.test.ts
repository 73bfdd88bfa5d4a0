// SPDX-License-Identifier: Apache-2.0
// What programs may rely on in ring 0, checked by programs in guests: the kernel that every image gets by default.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { type BuiltKernel, type KernelDescription, kernelFor } from '../../kernel-build/index.ts';
import { bootGuest } from './boot.ts';
import { compile } from './checked-guest.ts';
import { checksOf, complaintsIn, linesOf } from './checks.ts';
import { initramfsOf } from './initramfs.ts';

const PROGRAMS = join(import.meta.dirname, 'programs');
const CHECKS = readdirSync(PROGRAMS)
  .filter((name) => name.endsWith('.c') && name !== 'true.c')
  .map((name) => join(PROGRAMS, name));

let folder: string;
let kernel: BuiltKernel;
let initrd: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-kernel-'));
  kernel = await kernelFor((await loadProfile()).kernel);
  const init = await compile(join(folder, 'init'), CHECKS);
  const other = await compile(join(folder, 'true'), [join(PROGRAMS, 'true.c')]);
  initrd = join(folder, 'root.cpio');
  await writeFile(initrd, initramfsOf({ init, true: other }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([1, 2, 4])('with %i processors', (cpus) => {
  let log: string;

  beforeAll(async () => {
    log = await bootGuest({ vmlinux: kernel.vmlinux, initrd, cpus });
  });

  test('programs run at level 0, on all processors', () => {
    expect(linesOf(log)).toContain(`cpl=0 cpus=${cpus}`);
  });

  test('all checks ran and went well', () => {
    expect(checksOf(log)).toEqual({ passed: 89, failed: [], ended: true });
  });

  test('the kernel has nothing to complain of', () => {
    expect(complaintsIn(log)).toEqual([]);
  });
});

test('boots in 24 MB', async () => {
  const log = await bootGuest({ vmlinux: kernel.vmlinux, initrd, cpus: 1, memory: '24M' });
  expect(log).toContain('cpl=0 cpus=1');
});

test('says what it is made of', () => {
  const description = JSON.parse(readFileSync(kernel.kernelJson, 'utf8')) as KernelDescription;
  expect(description).toMatchObject({ variant: 'default', guestContract: 2, key: kernel.key });
  expect(description.version).toMatch(/^6\.12\.\d+$/);
});

test('as a layer it is at most 2 MB', () => {
  expect(statSync(kernel.vmlinux).size).toBeGreaterThan(1 << 20);
  const layer = zstdCompressSync(readFileSync(kernel.vmlinux), {
    params: { [constants.ZSTD_c_compressionLevel]: 19 },
  });
  expect(layer.length).toBeLessThan(2_000_000);
});
