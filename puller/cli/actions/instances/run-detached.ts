// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { createInstance, type InstanceFolder, launchInstance, removeInstance, StartError } from '../../../index.ts';
import { bootableOf, findImage } from '../../bootable.ts';
import type { Session } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { type InstanceFlags, newInstance, type RunFlags } from '../../options/instance-options.ts';

/** Makes an instance that does not run yet. */
export async function create(
  session: Session,
  image: string,
  args: string[],
  flags: InstanceFlags,
): Promise<undefined> {
  await checkCidfile(flags);
  const store = await session.openStore();
  const found = await findImage(session, store, image, flags);
  const folder = await createInstance(await session.instancesFolder(), newInstance(found, args, flags), flags.name);
  await writeCidfile(folder, flags);
  await show(session, folder);
  return undefined;
}

/** Makes an instance and starts it. What cannot even be made bootable leaves no instance. */
export async function runDetached(session: Session, image: string, args: string[], flags: RunFlags): Promise<number> {
  if (flags.console)
    session.output.note("uk: --console has no effect with -d: uk logs --kernel shows the kernel's log");
  await checkCidfile(flags);
  const store = await session.openStore();
  const found = await findImage(session, store, image, flags);
  const config = newInstance(found, args, flags);
  const bootable = await bootableOf(session, store, found.descriptor, flags);
  const instances = await session.instancesFolder();
  const folder = await createInstance(instances, config, flags.name);
  await writeCidfile(folder, flags);
  try {
    const { signal } = session;
    await launchInstance({ instances, folder, bootable, volumes: await session.volumesFolder(), signal });
  } catch (error) {
    if (session.signal.aborted) await removeInstance(instances, folder, true);
    if (!(error instanceof StartError)) throw error;
    session.output.failure(error);
    return error.status ?? 1;
  }
  await show(session, folder);
  return 0;
}

async function show(session: Session, folder: InstanceFolder): Promise<void> {
  const name = await folder.name();
  session.output.result({ id: folder.id, name }, () => folder.id);
}

async function checkCidfile({ cidfile }: InstanceFlags): Promise<void> {
  if (cidfile === undefined) return;
  const file = await open(cidfile, 'r').catch(() => undefined);
  await file?.close();
  if (file === undefined) return;
  throw new CliError('FILE', `${cidfile} is there already`, { hint: 'remove it, or name another file for the id' });
}

async function writeCidfile({ id }: InstanceFolder, { cidfile }: InstanceFlags): Promise<void> {
  if (cidfile === undefined) return;
  try {
    const file = await open(cidfile, 'wx', 0o644);
    await file.writeFile(id);
    await file.close();
  } catch (error) {
    throw new CliError('FILE', `cannot write the id to ${cidfile}: ${(error as Error).message}`);
  }
}
