// SPDX-License-Identifier: Apache-2.0
// Volumes on the command line, as users of container engines write them.
import type { Command } from 'commander';
import type { VolumeRequest } from '../../volumes/request.ts';
import { CliError } from '../errors.ts';
import { collectMount } from '../volumes/mount.ts';
import { shown } from '../volumes/places.ts';
import { collectTmpfs } from '../volumes/tmpfs.ts';
import { collectVolume } from '../volumes/volume.ts';

export { collectMount, collectTmpfs, collectVolume };

/** What the options of {@link addVolumeOptions} give. */
export interface VolumeFlags {
  volume?: VolumeRequest[];
  mount?: VolumeRequest[];
  tmpfs?: VolumeRequest[];
}

/** Adds `--volume`, `--mount` and `--tmpfs` to a command. */
export function addVolumeOptions(command: Command): void {
  command
    .option(
      '-v, --volume <src:dst[:ro]>',
      'a folder of this machine (./site:/srv:ro) or a named volume (data:/var/lib/x) in the guest (repeatable)',
      collectVolume,
    )
    .option('--mount <fields>', 'the same as type=bind|volume|tmpfs,src=SRC,dst=DST[,ro] (repeatable)', collectMount)
    .option(
      '--tmpfs <dst[:options]>',
      'memory of the guest as a folder, as in /tmp:size=64m (repeatable)',
      collectTmpfs,
    );
}

/**
 * All volumes of a command line.
 *
 * @throws CliError `USAGE` where two have one path, or where one volume that is written to has two
 */
export function volumeRequests(flags: VolumeFlags): VolumeRequest[] {
  const requests = [...(flags.volume ?? []), ...(flags.mount ?? []), ...(flags.tmpfs ?? [])];
  const taken = new Set<string>();
  for (const { path } of requests) {
    if (taken.has(path)) {
      throw new CliError('USAGE', `two volumes for ${shown(path)}`, {
        hint: 'each needs a path of its own in the guest',
      });
    }
    taken.add(path);
  }
  checkNames(requests);
  return requests;
}

/** A guest has its volumes as disks: two file systems of one disk would destroy it, unless both only read. */
function checkNames(requests: readonly VolumeRequest[]): void {
  const named = requests.filter((request) => request.kind === 'named');
  for (const { name, path } of named.filter(({ readOnly }) => !readOnly)) {
    const other = named.find((one) => one.name === name && one.path !== path);
    if (other === undefined) continue;
    throw new CliError('USAGE', `volume ${name} is given for two paths, ${shown(path)} and ${shown(other.path)}`, {
      hint: 'a guest that writes to a volume has it at one path; link the other one, or use :ro for both',
    });
  }
}
