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

/** A tool, and Debian's package that has it. */
type Tool = readonly [tool: string, debianPackage: string];

const TOOLS: readonly Tool[] = [
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

/** The source of musl comes by apt-get; dpkg-source unpacks it. */
const LIBC_TOOLS: readonly Tool[] = [
  ['apt-get', 'apt'],
  ['dpkg-source', 'dpkg-dev'],
  ['gcc', 'gcc'],
  ['ld', 'binutils'],
  ['make', 'make'],
  ['patch', 'patch'],
];

/** The library that replaces calls is compiled, and nothing else. */
const CALLS_TOOLS: readonly Tool[] = [
  ['gcc', 'gcc'],
  ['ld', 'binutils'],
];

/** The kernel's build has programs of its own; objtool, which it runs over each object, reads and writes them by libelf. */
const LIBRARIES: readonly (readonly [library: string, header: string, debianPackage: string])[] = [
  ['libc', 'stdio.h', 'libc6-dev'],
  ['libelf', 'gelf.h', 'libelf-dev'],
];

const install = (...packages: string[]) => `apt-get install ${packages.join(' ')}`;

/** What building a kernel needs and what of it this machine has. */
export async function kernelBuildRequirements(): Promise<Requirement[]> {
  const libraries = LIBRARIES.map(async ([name, header, debianPackage]) => ({
    name,
    found: await findHeader(header),
    hint: install(debianPackage),
  }));
  return Promise.all([
    sourceTarball().then((found) => ({ name: SOURCE_PACKAGE, found, hint: install(SOURCE_PACKAGE) })),
    ...TOOLS.map(findTool),
    ...libraries,
  ]);
}

/** What building the libc needs and what of it this machine has. */
export async function libcBuildRequirements(): Promise<Requirement[]> {
  return Promise.all(LIBC_TOOLS.map(findTool));
}

/**
 * @throws KernelError `REQUIREMENTS_MISSING`, naming all that is missing and the one command that installs it
 */
export async function requireBuildTools(): Promise<void> {
  const instead = '; or take a kernel from a registry with --kernel, which needs no compiler';
  refuseMissing('a kernel', await kernelBuildRequirements(), instead);
}

/** @throws KernelError `REQUIREMENTS_MISSING` */
export async function requireLibcTools(): Promise<void> {
  refuseMissing('a libc', await libcBuildRequirements());
}

/** @throws KernelError `REQUIREMENTS_MISSING` */
export async function requireCallsTools(): Promise<void> {
  refuseMissing('the library of --calls', await Promise.all(CALLS_TOOLS.map(findTool)));
}

function refuseMissing(what: string, requirements: readonly Requirement[], instead = ''): void {
  const missing = requirements.filter(({ found }) => found === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(({ hint }) => hint.slice(install('').length)))];
  throw new KernelError(
    'REQUIREMENTS_MISSING',
    `to build ${what} this machine lacks ${missing.map(({ name }) => name).join(', ')}`,
    { hint: `${install(...packages)}${instead}` },
  );
}

async function findTool([name, debianPackage]: Tool): Promise<Requirement> {
  return { name, found: await findExecutable(name), hint: install(debianPackage) };
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
