// SPDX-License-Identifier: Apache-2.0
// Debian's strace and gdb, inside a guest, watch a program that calls the kernel in all three ways.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AddedPath } from '../../image-format/build/index.ts';
import { bootGuest } from './boot.ts';
import { buildRoot } from './built-root.ts';
import { type CheckedGuest, compile } from './checked-guest.ts';
import { complaintsIn } from './checks.ts';
import { pythonModules } from './languages/build.ts';

const PATIENCE_MS = 300_000;
const GDB_PARTS: AddedPath = { source: '/usr/share/gdb', destination: '/usr/share/gdb', layer: 'deps' };
const COMMANDS = `
set pagination off
set width 0
set startup-with-shell off
handle SIGUSR1 nostop noprint pass
break watched
run
backtrace
print number
stepi 3
delete
catch syscall exit_group
continue
info registers rdi cs
continue
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-tools-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A root with the program and one tool. */
async function rootWith(tool: string, more: readonly AddedPath[] = []): Promise<CheckedGuest> {
  const traced = join(folder, 'traced');
  await compile(traced, ['tools/traced.c'], ['-g', '-O0', '-no-pie']);
  const adds = [
    { source: traced, destination: '/traced' },
    { source: tool, destination: tool, layer: 'deps' as const },
    ...more,
  ];
  return await buildRoot(join(folder, tool.replaceAll('/', '-')), adds);
}

const hasStrace = existsSync('/usr/bin/strace');
describe.skipIf(!hasStrace)(`strace in a guest${hasStrace ? '' : ' (skipped: no /usr/bin/strace)'}`, () => {
  let guest: CheckedGuest;

  beforeAll(async () => {
    guest = await rootWith('/usr/bin/strace');
  });

  test.each([1, 2])('sees calls, signals and children, with %i processors', async (cpus) => {
    const append = '-- /usr/bin/strace -f /traced';
    const log = await bootGuest({ ...guest, cpus, memory: '256M', append, patience: PATIENCE_MS });
    const text = log.replaceAll('\r', '');
    expect(text).toMatch(/^execve\("\/traced", \["\/traced"\], 0x\w+ \/\* 3 vars \*\/\) = 0$/m);
    expect(text).toMatch(/^write\(3, "0123456789", 10\) += 10$/m);
    expect(text).toMatch(/^pread64\(3, "34567", 5, 3\) += 5$/m);
    expect(text).toMatch(/^openat\(AT_FDCWD, "\/nowhere", O_RDONLY\) += -1 ENOENT \(No such file or directory\)$/m);
    expect(text).toMatch(/^--- SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=\d+, si_uid=0\} ---$/m);
    expect(text).toMatch(/^rt_sigreturn\(\{mask=\[.*\]\}\) += 0$/m);
    expect(text).toMatch(/^\[pid +\d+\] exit_group\(5(?:\)| <unfinished)/m);
    expect(text).toMatch(/^\[pid +\d+\] \+\+\+ exited with 5 \+\+\+$/m);
    expect(text).toMatch(/^exit_group\(7\) += \?\n\+\+\+ exited with 7 \+\+\+$/m);
    expect(text).toMatch(/^end$/m);
    expect(complaintsIn(text)).toEqual([]);
  });
});

const hasGdb = existsSync('/usr/bin/gdb');
describe.skipIf(!hasGdb)(`gdb in a guest${hasGdb ? '' : ' (skipped: no /usr/bin/gdb)'}`, () => {
  let guest: CheckedGuest;

  beforeAll(async () => {
    await writeFile(join(folder, 'commands'), COMMANDS);
    const commands = { source: join(folder, 'commands'), destination: '/commands' };
    guest = await rootWith('/usr/bin/gdb', [commands, GDB_PARTS, ...(await pythonModules())]);
  });

  test.each([1, 2])('stops at a breakpoint and at a system call by CALL, with %i processors', async (cpus) => {
    const append = '-- /usr/bin/gdb -nx -batch -x /commands /traced';
    const log = await bootGuest({ ...guest, cpus, memory: '512M', append, patience: PATIENCE_MS });
    const text = log.replaceAll('\r', '');
    expect(text).toMatch(/^Breakpoint 1, watched \(number=6\) at /m);
    expect(text).toMatch(/^#0 +watched \(number=6\) .*\n#1 .*\bmain \(\)/m);
    expect(text).toMatch(/^\$1 = 6$/m);
    expect(text).toMatch(/^Catchpoint 2 \(call to syscall exit_group\)/m);
    expect(text).toMatch(/^rdi +0x7 .*\ncs +0x33 /m);
    expect(text).toMatch(/^\[Inferior 1 \(process \d+\) exited with code 07\]$/m);
    expect(text).toMatch(/^ok \/usr\/bin\/gdb ends$/m);
    expect(complaintsIn(text)).toEqual([]);
  });
});
