// SPDX-License-Identifier: Apache-2.0
// musl's libc-test. No package has its source, so it is not fetched: who has a copy names its folder.
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../../../kernel-build/command.ts';
import type { PlannedTest } from './plan.ts';

const SUITES = ['functional', 'regression', 'math'];
const FLAGS = ['-std=c99', '-D_POSIX_C_SOURCE=200809L', '-Wno-format-security'];
/** As in the suite's own config.mak.def, without optimisations that take its tests away. */
const COMMON = ['-O1', '-pipe', '-fno-builtin', '-frounding-math', '-g0', '-w'];

export interface LibcTests {
  readonly folder: string;
  readonly missing: readonly string[];
  readonly plan: readonly PlannedTest[];
}

/**
 * Compiles the tests, all of them linked statically.
 *
 * @param source folder with libc-test's `src`
 * @param output an empty folder
 * @param compiler a musl that is called as gcc is
 */
export async function compileLibcTests(source: string, output: string, compiler: string): Promise<LibcTests> {
  const src = join(source, 'src');
  if (!(await stat(src).catch(() => undefined))?.isDirectory()) throw new Error(`${source} is no copy of libc-test`);
  const common = (await readdir(join(src, 'common'))).filter((name) => /^(?!runtest).*\.c$/.test(name));
  const missing: string[] = [];
  const plan: PlannedTest[] = [];
  const objects: string[] = [];
  for (const name of common) {
    const object = join(output, `common-${name}.o`);
    await runCommand(compiler, [...FLAGS, ...COMMON, '-c', '-o', object, join(src, 'common', name)]);
    objects.push(object);
  }
  for (const suite of SUITES) {
    await mkdir(join(output, suite));
    for (const file of (await readdir(join(src, suite))).sort()) {
      // Those with `_dso` are libraries for tests of the dynamic linker, which static programs are not.
      if (!file.endsWith('.c') || file.includes('_dso') || /^(dlopen|tls_.*_dso|tls_align_dlopen)/.test(file)) continue;
      const name = `${suite}/${file.slice(0, -2)}`;
      const program = join(output, name);
      const words = [...FLAGS, ...COMMON, '-static', `-I${join(src, 'common')}`, '-o', program, join(src, suite, file)];
      const made = await runCommand(compiler, [...words, ...objects, '-lpthread', '-lm', '-lrt']).then(
        () => true,
        () => false,
      );
      if (!made) missing.push(name);
      else plan.push(planned(name));
    }
  }
  for (const object of objects) await runCommand('rm', [object]);
  return { folder: output, missing, plan };
}

function planned(name: string): PlannedTest {
  const folder = `/tests/libc-test/${dirname(name)}`;
  return { name: `libc-test/${name}`, seconds: 30, folder, command: `./${name.slice(name.indexOf('/') + 1)}` };
}
