// SPDX-License-Identifier: Apache-2.0
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runCommand } from './command.ts';
import { KernelError } from './errors.ts';
import { SOURCE_PACKAGE, sourceTarball } from './linux-source.ts';

/** Something that a kernel build needs. */
export interface Requirement {
  readonly name: string;
  /** What was found, usually a path; nothing if it is missing. */
  readonly found: string | undefined;
  /** How to get it. */
  readonly hint: string;
}

/** The tools, and Debian's packages that have them. */
const TOOLS: readonly (readonly [tool: string, debianPackage: string])[] = [
  ['gcc', 'gcc'],
  ['ld', 'binutils'],
  ['strip', 'binutils'],
  ['make', 'make'],
  ['flex', 'flex'],
  ['bison', 'bison'],
  ['bc', 'bc'],
  ['patch', 'patch'],
  ['tar', 'tar'],
  ['xz', 'xz-utils'],
  ['musl-gcc', 'musl-tools'],
];

/** The kernel's build has programs of its own; objtool, which it runs over each object, reads and writes them by libelf. */
const LIBRARIES: readonly (readonly [library: string, header: string, debianPackage: string])[] = [
  ['libc', 'stdio.h', 'libc6-dev'],
  ['libelf', 'gelf.h', 'libelf-dev'],
];

const install = (...packages: string[]) => `apt-get install ${packages.join(' ')}`;

/** What building a kernel needs and what of it this machine has. */
export async function kernelBuildRequirements(): Promise<Requirement[]> {
  const tools = TOOLS.map(async ([name, debianPackage]) => ({
    name,
    found: await findExecutable(name),
    hint: install(debianPackage),
  }));
  const libraries = LIBRARIES.map(async ([name, header, debianPackage]) => ({
    name,
    found: await findHeader(header),
    hint: install(debianPackage),
  }));
  return Promise.all([
    sourceTarball().then((found) => ({ name: SOURCE_PACKAGE, found, hint: install(SOURCE_PACKAGE) })),
    ...tools,
    ...libraries,
  ]);
}

/**
 * @throws KernelError `REQUIREMENTS_MISSING`, naming all that is missing and the one command that installs it
 */
export async function requireBuildTools(): Promise<void> {
  const missing = (await kernelBuildRequirements()).filter(({ found }) => found === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(({ hint }) => hint.slice(install('').length)))];
  throw new KernelError(
    'REQUIREMENTS_MISSING',
    `to build a kernel this machine lacks ${missing.map(({ name }) => name).join(', ')}`,
    {
      hint: `${install(...packages)}; or take a kernel from a registry with --kernel, which needs no compiler`,
    },
  );
}

async function findExecutable(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', name);
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  return undefined;
}

/** Asks the compiler where a header is, as it looks in more places than one. */
async function findHeader(name: string): Promise<string | undefined> {
  try {
    const output = await runCommand('gcc', ['-E', '-M', '-include', name, '-x', 'c', '/dev/null']);
    return output.split(/[\s\\]+/).find((path) => path.endsWith(`/${name}`));
  } catch {
    return undefined;
  }
}
