// SPDX-License-Identifier: Apache-2.0
import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { InstanceFolder } from '../../../index.ts';
import {
  archiveOfGuest,
  extractArchive,
  guestPath,
  packPath,
  repack,
  unpackInGuest,
} from '../../../instances/files/index.ts';
import { findInstance } from '../../../instances/lifecycle/find.ts';
import type { Session } from '../../context.ts';
import { CliError } from '../../errors.ts';

export interface CopyFlags {
  archive?: boolean;
  followLink?: boolean;
}

/** `INSTANCE:PATH`; what begins with a slash or a dot is a path of this machine, whatever follows. */
function guestSide(text: string): { instance: string; path: string } | undefined {
  const [, instance, path] = /^([^/.:][^:]*):(.*)$/s.exec(text) ?? [];
  if (instance === undefined || path === undefined) return undefined;
  return { instance, path: path.startsWith('/') ? path : `/${path}` };
}

export async function copy(session: Session, from: string, to: string, flags: CopyFlags): Promise<undefined> {
  const [source, target] = [guestSide(from), guestSide(to)];
  if ((source === undefined) === (target === undefined)) {
    throw new CliError('USAGE', 'one of the two is INSTANCE:PATH, the other one a path of this machine', {
      hint: 'as in uk cp web:/etc/nginx ./nginx, or uk cp ./page.html web:/srv/',
    });
  }
  const instances = await session.instancesFolder();
  if (source !== undefined)
    await copyOut(session, await findInstance(instances, source.instance), source.path, to, flags);
  else if (target !== undefined) await copyIn(await findInstance(instances, target.instance), from, target.path, flags);
  return undefined;
}

async function copyOut(
  session: Session,
  folder: InstanceFolder,
  path: string,
  to: string,
  { archive, followLink }: CopyFlags,
): Promise<void> {
  if (to === '-') {
    if (process.stdout.isTTY)
      throw new CliError('USAGE', 'an archive is nothing for a terminal', { hint: 'redirect it' });
    await pipeline(await archiveOfGuest(folder, path, followLink), process.stdout, { end: false });
    return;
  }
  const kinds = await guestPath(folder, path);
  const kind = followLink ? kinds.leadsTo : kinds.own;
  if (kind === 'missing') throw new CliError('FILE', `${path} is not in the guest`);
  const { into, name } = await localTarget(path, kind === 'directory', to);
  await extractArchive(await archiveOfGuest(folder, path, followLink), into, {
    owners: archive,
    place: (entry) => renamed(entry, name),
    skipped: (what, why) => session.output.problem(`uk: ${what} is ${why} and was left out`),
  });
}

/** Replaces the first part of a path; none of it is left where `name` is empty. */
function renamed(path: string, name: string | undefined): string {
  if (name === undefined) return path;
  const slash = path.indexOf('/');
  const rest = slash < 0 ? '' : path.slice(slash + 1);
  return [Buffer.from(name).toString('latin1'), rest].filter((part) => part !== '').join('/');
}

/** Whether a path means what is in the folder, not the folder. */
function meansContents(path: string): boolean {
  return path.endsWith('/.') || path === '/' || path === '.';
}

/** Where a copy goes, by the rules of `docker cp`. `name` undefined: under its own name. */
async function localTarget(path: string, isFolder: boolean, to: string): Promise<{ into: string; name?: string }> {
  const about = await stat(to).catch(() => undefined);
  if (about?.isDirectory()) return { into: to };
  if (about !== undefined && isFolder) throw new CliError('FILE', `${to} is a file, and ${path} is a folder`);
  if (about === undefined && to.endsWith('/') && !isFolder) throw new CliError('FILE', `there is no folder ${to}`);
  const parent = dirname(resolve(to));
  if (!(await stat(parent).catch(() => undefined))?.isDirectory()) {
    throw new CliError('FILE', `there is no folder ${parent}`, { hint: 'make it first' });
  }
  if (!meansContents(path)) return { into: parent, name: basename(resolve(to)) };
  await mkdir(to);
  return { into: to };
}

async function copyIn(folder: InstanceFolder, from: string, path: string, flags: CopyFlags): Promise<void> {
  const options = { owners: flags.archive, followLink: flags.followLink };
  if (from === '-') {
    await unpackInGuest(folder, path, repack(process.stdin, options));
    return;
  }
  const about = await stat(from).catch((error: NodeJS.ErrnoException) => {
    throw new CliError('FILE', `cannot read ${from}: ${error.message}`);
  });
  const { into, name } = await guestTarget(folder, from, about.isDirectory(), path);
  await unpackInGuest(folder, into, packPath(from, name, options));
}

/** `name` empty: only what is in the folder. */
async function guestTarget(
  folder: InstanceFolder,
  from: string,
  isFolder: boolean,
  path: string,
): Promise<{ into: string; name: string }> {
  const own = meansContents(from) ? '' : basename(resolve(from));
  const { leadsTo } = await guestPath(folder, path);
  if (leadsTo === 'directory') return { into: path, name: own };
  if (leadsTo !== 'missing' && isFolder)
    throw new CliError('FILE', `${path} is a file in the guest, and ${from} a folder`);
  if (leadsTo === 'missing' && path.endsWith('/') && !isFolder) {
    throw new CliError('FILE', `there is no folder ${path} in the guest`);
  }
  const into = dirname(path);
  if ((await guestPath(folder, into)).leadsTo !== 'directory') {
    throw new CliError('FILE', `there is no folder ${into} in the guest`, { hint: 'make it first: uk exec … mkdir' });
  }
  return { into, name: basename(join('/', path)) };
}
