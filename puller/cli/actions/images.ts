// SPDX-License-Identifier: Apache-2.0
import { inspectImage, PullerError, summarizeImages, trimAssemblies, usedImages } from '../../index.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import { formatBytes } from '../output/bytes.ts';
import { formatTable } from '../output/table.ts';
import { canonicalName, displayName, pinnedName, resolveLocal } from '../references.ts';
import type { FileFlags } from './files.ts';

export async function listImages(session: Session): Promise<undefined> {
  const images = await summarizeImages(await session.openStore());
  session.output.result(images, () =>
    formatTable(
      ['IMAGE', 'DIGEST', 'PROFILE', 'SIZE'],
      images.map(({ name, digest, profiles, size }) => [
        displayName(name),
        digest.slice('sha256:'.length, 'sha256:'.length + 12),
        profiles.join(',') || '-',
        size === undefined ? 'incomplete' : formatBytes(size),
      ]),
    ),
  );
  return undefined;
}

export async function removeImages(session: Session, images: string[]): Promise<undefined> {
  const store = await session.openStore();
  // All are looked up before the first is removed: a name that is wrong removes nothing.
  const found = await Promise.all(images.map((image) => resolveLocal(store, image)));
  for (const { name } of found) await store.untag(name);
  const instances = await session.instancesFolder();
  // An instance can be started again when its image has lost its name.
  const removed = await store.collect({ keep: () => usedImages(instances) });
  await trimAssemblies(store, { keep: await usedImages(instances) });
  const freed = removed.reduce((sum, { size }) => sum + size, 0);
  session.output.result({ untagged: found.map(({ name }) => name), removed }, () =>
    [
      ...found.map(({ name }) => `untagged ${displayName(name)}`),
      ...(removed.length === 0 ? [] : [`removed ${removed.length} blobs, ${formatBytes(freed)}`]),
    ].join('\n'),
  );
  return undefined;
}

export interface InspectFlags extends FileFlags {
  files?: boolean;
  type?: 'instance' | 'image';
}

/** An instance goes before an image of the same name, as with container engines. */
export async function inspect(session: Session, image: string, flags: InspectFlags): Promise<undefined> {
  if (flags.files) return (await import('./files.ts')).listFiles(session, image, flags);
  const misplaced = (['layer', 'path', 'search'] as const).find((name) => flags[name] !== undefined);
  if (misplaced !== undefined) throw new CliError('USAGE', `--${misplaced} goes with --files`);
  if (flags.type !== 'image' && flags.profile === undefined) {
    const { inspectInstance } = await import('./instances/inspect.ts');
    if (await inspectInstance(session, image)) return undefined;
    if (flags.type === 'instance') {
      throw new PullerError('INSTANCE_MISSING', `no instance ${image}`, { hint: 'uk ps -a lists them all' });
    }
  }
  const store = await session.openStore();
  const { name, descriptor } = await resolveLocal(store, image);
  const found = await inspectImage(store, descriptor, flags.profile);
  session.output.result({ name, ...found }, () => {
    const { config } = found.config;
    const rows: [string, string][] = [
      ['name', displayName(name)],
      ['digest', descriptor.digest],
      ['profile', found.profile?.name ?? ''],
      ['root', found.profile?.root ?? ''],
      ['kernel', kernelLine(found.kernel)],
      ['entrypoint', JSON.stringify(config?.Entrypoint ?? [])],
      ['cmd', JSON.stringify(config?.Cmd ?? [])],
      ['env', (config?.Env ?? []).join(' ')],
      ['user', config?.User || 'root'],
      ['workdir', config?.WorkingDir || '/'],
      ['ports', Object.keys(config?.ExposedPorts ?? {}).join(' ')],
    ];
    const facts = rows.filter(([, value]) => value !== '').map(([label, value]) => `${label.padEnd(12)}${value}`);
    const layers = found.layers.map(({ role, size, digest }) => [role, formatBytes(size), digest]);
    return [...facts, '', formatTable(['LAYER', 'SIZE', 'DIGEST'], layers)].join('\n');
  });
  return undefined;
}

function kernelLine(kernel: Record<string, unknown> | undefined): string {
  return kernel === undefined
    ? 'none: a container image'
    : `${kernel.version ?? 'unknown'} (${kernel.variant ?? 'unknown'})`;
}

export async function tagImage(session: Session, image: string, name: string): Promise<undefined> {
  const store = await session.openStore();
  const target = canonicalName(name);
  const { descriptor } = await resolveLocal(store, image);
  await store.tag(target, descriptor);
  session.output.result({ name: target, digest: descriptor.digest }, () => pinnedName(target, descriptor.digest));
  return undefined;
}
