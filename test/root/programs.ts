// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Compiles one of the programs beside this file, without a library at run time. @returns its path in `folder` */
export async function compileProgram(name: string, folder: string): Promise<string> {
  const output = join(folder, name);
  const source = join(import.meta.dirname, 'programs', `${name}.c`);
  await promisify(execFile)('musl-gcc', ['-static', '-O2', '-Wall', '-Wextra', '-Werror', source, '-o', output]);
  return output;
}
