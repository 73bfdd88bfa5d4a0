// SPDX-License-Identifier: Apache-2.0
import { realpath } from 'node:fs/promises';
import { basename, posix, resolve } from 'node:path';
import { ImageError } from '../../errors.ts';
import type { EntryType } from '../../layers/index.ts';
import { type ClosureRoot, type Missing, refuseMissing } from '../needs/closure.ts';
import { readExecutable } from '../needs/host-file.ts';
import { type AddedElf, type Placement, planAdds } from '../places/add-files.ts';
import type { Plan } from '../places/plan.ts';
import { asProgram, envProgram, insideSystem, PATH } from '../places/program.ts';
import type { AddedPath, StackedRequest } from '../request.ts';
import { exists, type Surroundings, unmetNeeds } from './check-needs.ts';
import type { Base } from './read-base.ts';

/**
 * Plans the folders of the base, so that what is added agrees with them: a folder that leads to an added file is
 * repeated as the base has it. Their role is that of a layer which is not written from a plan.
 */
export function planBaseFolders(plan: Plan, { tree }: Base): void {
  for (const entry of tree.directories()) plan.addDefault({ entry, role: 'kernel', origin: 'the base image' });
}

/** Where files are put above a base: its links to folders are followed, as container builders do. */
export function placementOn({ tree }: Base): Placement {
  return {
    destination: (absolute) => posix.normalize(`/${absolute}`).slice(1).replace(/\/$/, ''),
    entry: (path, type) => {
      const place = tree.place(path, type === 'directory');
      refuseFolder(place, type, tree.get(place)?.type);
      return place;
    },
  };
}

function refuseFolder(place: string, type: EntryType, there: EntryType | undefined): void {
  if (type === 'directory' || there !== 'directory') return;
  throw new ImageError('PATH_CONFLICT', `/${place} is a folder of the base image, and would be replaced by a ${type}`, {
    hint: `write --add SRC:/${place}/ to put it into that folder`,
  });
}

/**
 * Plans what is put above a base, and checks that the base has the interpreters and libraries that it needs.
 *
 * @returns the program's absolute path in the image, if one was given
 * @throws ImageError `LIBRARY_MISSING`, `ELF_INVALID`, `SOURCE_INVALID`, `PATH_CONFLICT`
 */
export async function planOnBase(
  plan: Plan,
  base: Base,
  request: StackedRequest,
  env: readonly string[],
  warn: (warning: string) => void,
): Promise<string | undefined> {
  const added = await planAdds(plan, request.adds ?? [], placementOn(base));
  const path = request.app === undefined ? undefined : await planApp(plan, base, request.app, request.appPath);
  const around = { base, env, added: (at: string) => isFile(plan.get(at)?.entry.type) };
  const missing: Missing[] = [];
  if (request.app !== undefined && path !== undefined) {
    missing.push(...(await needsOfProgram(resolve(request.app), path, around)));
  }
  for (const { source, destination } of request.adds ?? []) {
    missing.push(...(await needsOfScript(source, destination, around)));
  }
  for (const elf of added) reportElf(elf, unmetNeeds(elf, around), missing, warn);
  refuseMissing(missing, 'the base image does not have');
  return path;
}

function reportElf(elf: AddedElf, unmet: Missing[], missing: Missing[], warn: (warning: string) => void): void {
  // What is deep in a folder may be a plug-in that nobody uses; what was named is wanted.
  if (elf.named) missing.push(...unmet);
  else for (const { name, neededBy } of unmet) warn(`${neededBy}: the base image does not have ${name}`);
}

function isFile(type: EntryType | undefined): boolean {
  return type === 'file' || type === 'hardlink' || type === 'symlink';
}

async function planApp(plan: Plan, base: Base, app: string, appPath: string | undefined): Promise<string> {
  const host = resolve(app);
  const wanted = appPath ?? insideSystem(host, '/') ?? `/app/${basename(host)}`;
  const path = base.tree.place(wanted, false);
  refuseFolder(path, 'file', base.tree.get(path)?.type);
  plan.add({ entry: await asProgram(host, path), role: 'app', origin: host });
  return `/${path}`;
}

async function needsOfProgram(host: string, path: string, around: Surroundings): Promise<Missing[]> {
  const executable = await readExecutable(await realpath(host));
  if (executable.kind === 'script') return interpreterNeeds(host, executable.interpreter, executable.argument, around);
  const { elf } = executable;
  if (elf.type === 'shared' && elf.interpreter === undefined && elf.entry === 0) {
    throw new ImageError('ELF_INVALID', `a library, not a program: ${host}`);
  }
  const root: ClosureRoot = { host, image: path, elf };
  return unmetNeeds(root, around);
}

/** A script that is named must have its interpreter; other files need nothing. */
async function needsOfScript(source: AddedPath['source'], _path: string, around: Surroundings): Promise<Missing[]> {
  const executable = await readExecutable(source).catch(() => undefined);
  if (executable?.kind !== 'script') return [];
  return interpreterNeeds(source, executable.interpreter, executable.argument, around);
}

function interpreterNeeds(
  host: string,
  interpreter: string,
  argument: string | undefined,
  around: Surroundings,
): Missing[] {
  if (!exists(interpreter, around)) return [{ name: interpreter, neededBy: host }];
  if (posix.basename(interpreter) !== 'env') return [];
  const program = envProgram(argument);
  if (program === '' || program.startsWith('/')) {
    return program === '' || exists(program, around) ? [] : [{ name: program, neededBy: host }];
  }
  const variable = around.env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length);
  const folders = variable?.split(':') ?? PATH;
  const found = folders.some((folder) => exists(posix.join('/', folder, program), around));
  return found ? [] : [{ name: program, neededBy: host }];
}
