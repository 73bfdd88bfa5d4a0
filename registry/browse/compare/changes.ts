// SPDX-License-Identifier: Apache-2.0

import type { ComparedLayer, ValueChange } from '../types/compare.ts';
import type { Image, Layer, RunConfig } from '../types/image.ts';

/** How two sets of named values differ, in the order of the names. */
export function changesOf(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): ValueChange[] {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names.flatMap((name): ValueChange[] => {
    const [before, after] = [from.get(name), to.get(name)];
    if (before === after) return [];
    if (before === undefined) return [{ name, change: 'added', ...(after === undefined ? {} : { to: after }) }];
    if (after === undefined) return [{ name, change: 'removed', from: before }];
    return [{ name, change: 'changed', from: before, to: after }];
  });
}

/** What a config says, each thing by a name of its own. */
export function valuesOf(run: RunConfig | undefined, image: Pick<Image, 'platform' | 'profile' | 'variant'>) {
  const values = new Map<string, string>();
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) values.set(name, value);
  };
  set('platform', image.platform);
  set('profile', image.profile);
  set('variant', image.variant);
  if (run === undefined) return values;
  if (run.entrypoint.length > 0) set('entrypoint', JSON.stringify(run.entrypoint));
  if (run.command.length > 0) set('command', JSON.stringify(run.command));
  set('user', run.user);
  set('working directory', run.workingDirectory);
  set('stop signal', run.stopSignal);
  for (const { name, value } of run.environment) set(`env ${name}`, value);
  for (const port of run.ports) set(`port ${port}`, '');
  for (const volume of run.volumes) set(`volume ${volume}`, '');
  for (const [name, value] of Object.entries(run.labels)) set(`label ${name}`, value);
  return values;
}

type ShownLayer = Pick<Layer, 'number' | 'digest' | 'size' | 'role' | 'createdBy'>;

/** Layers in the order of the second image; what only the first one has stands where it was between those of both. */
export function compareLayers(
  from: { layers: readonly ShownLayer[] },
  to: { layers: readonly ShownLayer[] },
): ComparedLayer[] {
  const before = new Map(from.layers.map((layer) => [layer.digest, layer]));
  const after = new Set(to.layers.map(({ digest }) => digest));
  const removed = from.layers.filter(({ digest }) => !after.has(digest));
  const compared: ComparedLayer[] = [];
  let next = 0;
  let added: ComparedLayer[] = [];
  const flush = (end: number) => {
    for (let layer = removed[next]; layer !== undefined && layer.number < end; layer = removed[next]) {
      compared.push({ ...shown(layer), change: 'removed', from: layer.number });
      next += 1;
    }
    compared.push(...added);
    added = [];
  };
  for (const layer of to.layers) {
    const same = before.get(layer.digest);
    if (same === undefined) {
      added.push({ ...shown(layer), change: 'added', to: layer.number });
      continue;
    }
    flush(same.number);
    compared.push({ ...shown(layer), change: 'same', from: same.number, to: layer.number });
  }
  flush(Number.POSITIVE_INFINITY);
  return compared;
}

function shown({ digest, size, role, createdBy }: ShownLayer) {
  return {
    digest,
    size,
    ...(role === undefined ? {} : { role }),
    ...(createdBy === undefined ? {} : { createdBy }),
  };
}
