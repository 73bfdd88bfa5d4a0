// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { isMissing } from '../../../image-format/layout/durable.ts';
import { PullerError } from '../../errors.ts';
import { isInstanceId, SHORT_ID } from '../state/config.ts';
import { InstanceFolder, missingInstance } from '../state/instance-folder.ts';

/** All instances, in no order. */
export async function instanceFolders(instances: string): Promise<InstanceFolder[]> {
  try {
    return (await readdir(instances)).filter(isInstanceId).map((id) => new InstanceFolder(instances, id));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * Finds an instance by its name, its id, or the beginning of its id, in this order.
 *
 * @throws PullerError `INSTANCE_MISSING`, `INSTANCE_AMBIGUOUS`
 */
export async function findInstance(instances: string, wanted: string): Promise<InstanceFolder> {
  const all = await instanceFolders(instances);
  const names = await Promise.all(all.map((folder) => folder.name()));
  const named = all[names.indexOf(wanted)];
  if (named !== undefined && wanted !== '') return named;
  const matching = /^[0-9a-f]+$/.test(wanted) ? all.filter(({ id }) => id.startsWith(wanted)) : [];
  const [found, other] = matching;
  if (found === undefined) throw missingInstance(wanted);
  if (other === undefined) return found;
  const ids = matching.map(({ id }) => id.slice(0, SHORT_ID));
  throw new PullerError('INSTANCE_AMBIGUOUS', `several instances begin with ${wanted}: ${ids.join(', ')}`, {
    hint: 'write more of the id',
  });
}
