// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import {
  checkRemovable,
  createVolume,
  getVolume,
  type InspectedVolume,
  inspectVolume,
  listVolumes,
  PullerError,
  pruneVolumes,
  type RemovedVolume,
  removeVolume,
  unusedVolumes,
} from '../../index.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import { formatBytes, formatSize } from '../output/bytes.ts';
import { formatTable } from '../output/table.ts';

export interface CreateFlags {
  size?: number;
  label?: [string, string][];
}

export async function create(session: Session, name: string | undefined, flags: CreateFlags): Promise<undefined> {
  const volume = await createVolume(await session.volumesFolder(), name ?? randomBytes(32).toString('hex'), {
    ...(flags.size === undefined ? {} : { size: flags.size }),
    labels: Object.fromEntries(flags.label ?? []),
    signal: session.signal,
  });
  session.output.result(volume, () => volume.name);
  return undefined;
}

export async function list(session: Session): Promise<undefined> {
  const { output } = session;
  const found = await listVolumes(await session.volumesFolder(), noteDamage(session));
  if (output.quiet) {
    const names = found.map(({ name }) => name);
    output.result(names, () => names.join('\n'));
    return undefined;
  }
  const volumes = await Promise.all(found.map(inspectVolume));
  output.result(volumes, () =>
    formatTable(
      ['VOLUME', 'SIZE', 'TAKEN', 'IN USE', 'CREATED'],
      volumes.map((volume) => [
        volume.name,
        formatSize(volume.size),
        formatBytes(volume.used),
        useOf(volume),
        volume.created.slice(0, 'YYYY-MM-DD'.length),
      ]),
    ),
  );
  return undefined;
}

export async function inspect(session: Session, names: string[]): Promise<undefined> {
  const folder = await session.volumesFolder();
  const volumes = await Promise.all(names.map(async (name) => inspectVolume(await getVolume(folder, name))));
  session.output.result(volumes, () => volumes.map(facts).join('\n\n'));
  return undefined;
}

export async function remove(session: Session, names: string[], flags: { force?: boolean }): Promise<undefined> {
  const folder = await session.volumesFolder();
  const wanted: string[] = [];
  // All are looked up before the first is removed: a name that is wrong removes nothing.
  for (const name of new Set(names)) {
    try {
      await checkRemovable(folder, name);
      wanted.push(name);
    } catch (error) {
      const isMissing = error instanceof PullerError && error.code === 'VOLUME_MISSING';
      if (!isMissing || flags.force !== true) throw error;
    }
  }
  const removed: RemovedVolume[] = [];
  for (const name of wanted) removed.push(await removeVolume(folder, name));
  session.output.result({ removed }, () => removed.map(({ name }) => name).join('\n'));
  return undefined;
}

export async function prune(session: Session, flags: { force?: boolean }): Promise<undefined> {
  const folder = await session.volumesFolder();
  const candidates = await unusedVolumes(folder, noteDamage(session));
  const names = candidates.map(({ name }) => name);
  const goOn = names.length === 0 || flags.force === true || (await confirm(session, names));
  const removed = goOn ? await pruneVolumes(folder, candidates) : [];
  const freed = removed.reduce((sum, volume) => sum + volume.freed, 0);
  session.output.result({ removed }, () =>
    [
      ...removed.map(({ name }) => `removed ${name}`),
      `removed ${removed.length} volume${removed.length === 1 ? '' : 's'}, ${formatBytes(freed)}`,
    ].join('\n'),
  );
  return undefined;
}

function noteDamage(session: Session): (error: PullerError) => void {
  return ({ message, hint }) => session.output.note(`uk: ${message} (${hint})`);
}

async function confirm(session: Session, names: readonly string[]): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CliError('USAGE', 'uk volume prune asks before it removes volumes, and there is no terminal', {
      hint: `-f removes ${names.join(', ')} without asking`,
    });
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `This removes ${names.join(', ')} with all that they hold. Go on? [y/N] `;
    const answer = await terminal.question(question, { signal: session.signal });
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

function facts(volume: InspectedVolume): string {
  const rows: [string, string][] = [
    ['name', volume.name],
    ['size', formatSize(volume.size)],
    ['taken', formatBytes(volume.used)],
    ['in use', useOf(volume)],
    ['created', volume.created],
    [
      'labels',
      Object.entries(volume.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ],
    ['disk', volume.disk],
  ];
  return rows
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label.padEnd(12)}${value}`)
    .join('\n');
}

function useOf({ use }: InspectedVolume): string {
  return use === 'unused' ? 'no' : use;
}
