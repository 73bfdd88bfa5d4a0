// SPDX-License-Identifier: Apache-2.0
// The kernel's own tests (tools/testing/selftests), compiled from the source that the kernels are built from.
import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { BuildCache } from '../../../kernel-build/build-cache.ts';
import { runCommand } from '../../../kernel-build/command.ts';
import { sourceDigest, sourceTarball } from '../../../kernel-build/linux-source.ts';
import { findToolchain } from '../../../kernel-build/toolchain.ts';
import type { PlannedTest } from './plan.ts';
import { SELFTESTS, type Selftest } from './selftest-list.ts';

const cacheFolder = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'uk', 'selftests');
/** Raised when the same source is compiled or collected in another way. */
const RECIPE = 1;
/** What neither headers nor tests are made of. */
const LEFT_OUT = ['*/arch/[!x]*/*.[chS]', '*/drivers/*/*', '*/sound/*', '*/tools/perf/*', '*/Documentation/*'];

/** Programs, and what some of them look for beside them; some folders hold one program at every alignment there is. */
const COLLECT = `cd "$1"
find . -maxdepth 1 -mindepth 1 ! -name '*.[choS]' ! -name 'load_address*' ! -name 'gup_test' -exec cp -a {} "$2" \\;
find "$2" -type f -perm -100 -exec strip -g {} + 2>/dev/null || true`;

export interface CompiledSelftests {
  /** `TARGET/PROGRAM`s. */
  readonly folder: string;
  /** Those of the list that did not compile. */
  readonly missing: readonly string[];
  readonly plan: readonly PlannedTest[];
}

export interface CompileOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((text: string) => void) | undefined;
  readonly jobs?: number | undefined;
}

/** Compiles the tests, or finds them as they were compiled before. */
export async function compileSelftests(
  list: readonly Selftest[] = SELFTESTS,
  { signal, onStep, jobs = 2 }: CompileOptions = {},
): Promise<CompiledSelftests> {
  const tarball = await sourceTarball();
  if (tarball === undefined) throw new Error('the kernel source is missing: `uk doctor` says how to get it');
  const programs = list.map(({ name }) => name);
  const targets = [...new Set(programs.map((name) => targetOf(name)))];
  const folders = [...new Set(programs.map((name) => dirname(name)))];
  const folder = cacheFolder();
  await mkdir(folder, { recursive: true });
  const inputs = {
    recipe: RECIPE,
    linux: await sourceDigest(tarball, folder, signal),
    toolchain: await findToolchain(signal),
    targets,
    folders,
  };
  const key = `sha256:${createHash('sha256').update(JSON.stringify(inputs)).digest('hex')}` as const;
  const cache = new BuildCache(folder);
  const build = async (result: string, scratch: string) => {
    onStep?.('unpacking the source of the selftests');
    const leaveOut = LEFT_OUT.map((pattern) => `--exclude=${pattern}`);
    const tree = join(scratch, 'linux');
    await mkdir(tree);
    await runCommand('tar', ['-xf', tarball, '-C', tree, '--strip-components=1', '--no-same-owner', ...leaveOut], {
      signal,
    });
    onStep?.('making the headers');
    await runCommand('make', ['headers'], { cwd: tree, signal });
    onStep?.('compiling the selftests');
    // Some do not compile in some point releases: `-k` goes on, and what is not there is told by name.
    const make = ['-k', `-j${jobs}`, '-C', 'tools/testing/selftests', `TARGETS=${targets.join(' ')}`];
    await runCommand('make', make, { cwd: tree, signal }).catch(() => signal?.throwIfAborted());
    for (const target of folders) {
      await mkdir(join(result, target), { recursive: true });
      await runCommand('sh', [
        '-c',
        COLLECT,
        'sh',
        join(tree, 'tools/testing/selftests', target),
        join(result, target),
      ]);
    }
  };
  await cache.ensure(key, build, { signal });
  const compiled = cache.pathOf(key);
  const missing: string[] = [];
  for (const name of programs) if (!(await exists(join(compiled, name)))) missing.push(name);
  return { folder: compiled, missing, plan: list.filter(({ name }) => !missing.includes(name)).map(planned) };
}

/** `futex` of `futex/functional/futex_wait`: the folder whose Makefile the top one calls. */
function targetOf(program: string): string {
  const folder = dirname(program);
  return folder.startsWith('filesystems/') ? folder : (folder.split('/')[0] ?? folder);
}

function planned({ name, seconds = 45, args = '' }: Selftest): PlannedTest {
  const folder = `/tests/selftests/${dirname(name)}`;
  const command = `./${name.slice(name.lastIndexOf('/') + 1)} ${args}`.trim();
  return { name: `selftests/${name}${args === '' ? '' : ` ${args}`}`, seconds, folder, command };
}

const exists = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
