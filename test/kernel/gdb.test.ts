// SPDX-License-Identifier: Apache-2.0
// A debugger on the host stops a guest in the kernel and in its program, by the stub in QEMU (docs/kernel-tests.md).
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { type BuiltKernel, kernelFor } from '../../kernel-build/index.ts';
import { startGuest } from './boot.ts';
import { compile } from './checked-guest.ts';
import { checksOf } from './checks.ts';
import { gdbOf } from './gdb/session.ts';
import { initramfsOf } from './initramfs.ts';

const canDebug = spawnSync('gdb', ['--version']).status === 0;

describe.skipIf(!canDebug)(`gdb through the monitor's stub${canDebug ? '' : ' (skipped: no gdb)'}`, () => {
  let folder: string;
  let program: string;
  let initrd: string;
  let kernel: BuiltKernel;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uk-gdb-'));
    kernel = await kernelFor((await loadProfile()).kernel);
    program = join(folder, 'stopped');
    const init = await compile(program, ['gdb/stopped.c', 'programs/check.c'], ['-g', '-O0', '-no-pie']);
    initrd = join(folder, 'root.cpio');
    await writeFile(initrd, initramfsOf({ init }));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([1, 2])('stops in the program and in the kernel, with %i processors', async (cpus) => {
    const guest = startGuest({ vmlinux: kernel.vmlinux, initrd, cpus, debugged: true });
    const session = await gdbOf(guest, join(folder, `gdb-${cpus}`), {
      before: ['set architecture i386:x86-64', `file ${kernel.debug}`, `add-symbol-file ${program}`],
      after: [
        ...['hbreak inner', 'continue', 'backtrace'],
        ...['hbreak __x64_sys_getppid', 'continue', 'backtrace'],
        // The program's registers, of which the system call has a pointer: where it called.
        ...['info symbol ((unsigned long *) $rdi)[16]', 'delete', 'continue'],
      ],
    });
    expect(session).toMatch(/^(?:Thread \d hit )?Breakpoint 1, inner \(/m);
    expect(session).toMatch(/^#0 .*\binner \(.*\n#1 .*\bouter \(number=110\).*\n#2 .*\bmain \(\)/m);
    expect(session).toMatch(/^(?:Thread \d hit )?Breakpoint 2, 0xffffffff[0-9a-f]+ in __x64_sys_getppid \(\)$/m);
    expect(session).toMatch(/^#0 .* in __x64_sys_getppid \(\)\n#1 .* in entry_CALL_64 \(\)/m);
    expect(session).toMatch(/^inner \+ \d+ in section \.text/m);
    expect(checksOf(await guest.output)).toEqual({ passed: 1, failed: [], ended: true });
  });
});
