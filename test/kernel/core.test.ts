// SPDX-License-Identifier: Apache-2.0
// The core of a program that crashed in ring 0 is what a debugger on the host expects.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { kernelFor } from '../../kernel-build/index.ts';
import { bootGuest } from './boot.ts';
import { compile } from './checked-guest.ts';
import { checksOf } from './checks.ts';
import { gdb } from './gdb/session.ts';
import { initramfsOf } from './initramfs.ts';

const canDebug = spawnSync('gdb', ['--version']).status === 0;

describe.skipIf(!canDebug)(`the core of a crash${canDebug ? '' : ' (skipped: no gdb)'}`, () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uk-core-'));
    program = join(folder, 'init');
    const init = await compile(program, ['core/crash.c', 'programs/check.c'], ['-g', '-O0', '-no-pie']);
    await writeFile(join(folder, 'root.cpio'), initramfsOf({ init }));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([1, 2])('shows where it was, with %i processors', async (cpus) => {
    const core = join(folder, `core-${cpus}`);
    const { vmlinux } = await kernelFor((await loadProfile()).kernel);
    const monitor = [
      ...['-device', 'virtio-serial-device', '-chardev', `file,id=core,path=${core}`],
      ...['-device', 'virtserialport,chardev=core,name=core'],
    ];
    const log = await bootGuest({ vmlinux, initrd: join(folder, 'root.cpio'), cpus, monitor });
    expect(checksOf(log)).toEqual({ passed: 2, failed: [], ended: true });

    const commands = ['backtrace', 'info registers cs ss', 'thread apply all backtrace'];
    // Whatever the guest calls /init is looked up there, not on this machine.
    const session = await gdb([`set sysroot ${folder}`, `file ${program}`, `core-file ${core}`, ...commands]);
    expect(session).toMatch(/Program terminated with signal SIGSEGV, Segmentation fault/);
    expect(session).toMatch(
      /^#0 .*\bread_through \(what=0x\w+ "nothing"\).*\n#1 .*\bfail \(depth=0\).*\n#2 .*\bfail \(depth=1\).*\n#3 .*\bfail \(depth=2\).*\n#4 .*\bcrash \(\)/m,
    );
    expect(session).toMatch(/^cs +0x33\b[^\n]*\nss +0x2b\b/m);
    expect(session).toMatch(/\bturn_beside \(unused=0x0\)/);
  });
});
