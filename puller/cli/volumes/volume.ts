// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander';
import type { VolumeRequest } from '../../volumes/request.ts';
import { isVolumeName, VOLUME_NAME_FORM } from '../../volumes/volume-name.ts';
import { guestPath, hostFolder, quote } from './places.ts';

const FORM = 'write SRC:DST[:ro], as in ./site:/srv:ro or data:/var/lib/x; a DST alone is scratch space';

/** `z` and `Z` are SELinux labels for containers; a guest has no need of them. */
const OPTIONS = ['ro', 'rw', 'z', 'Z', 'nocopy'];

/**
 * `SRC:DST[:OPTIONS]`, where SRC is a folder of this machine (`/…`, `./…`, `../…`) or a volume's name; or `DST` alone.
 *
 * @throws InvalidArgumentError
 */
export function collectVolume(text: string, previous: VolumeRequest[] = []): VolumeRequest[] {
  const [first = '', second, third, ...more] = text.split(':');
  if (more.length > 0 || text === '') throw new InvalidArgumentError(FORM);
  if (second === undefined) return [...previous, scratch(first)];
  const path = guestPath(second);
  const options = third === undefined ? [] : third.split(',');
  const readOnly = isReadOnly(options);
  const copy = !options.includes('nocopy');
  if (!isFolder(first)) return [...previous, { kind: 'named', name: volumeName(first), path, readOnly, copy }];
  if (!copy) throw new InvalidArgumentError('nocopy is for named volumes; nothing is copied into a shared folder');
  return [...previous, { kind: 'folder', folder: hostFolder(first), path, readOnly }];
}

/** Space that goes with the instance. Programs in it may be executed, as in a container engine's anonymous volume. */
export function scratch(destination: string, readOnly = false): VolumeRequest {
  return { kind: 'tmpfs', path: guestPath(destination), options: readOnly ? ['ro'] : [], copy: true };
}

/** @throws InvalidArgumentError */
export function volumeName(text: string): string {
  if (isVolumeName(text)) return text;
  const folder = text.includes('/') ? `; a folder is written ./${text}` : '';
  throw new InvalidArgumentError(`${quote(text)} is not a name for a volume (${VOLUME_NAME_FORM})${folder}`);
}

function isFolder(source: string): boolean {
  return source === '.' || source === '..' || /^(?:\.\.?)?\//.test(source);
}

function isReadOnly(options: readonly string[]): boolean {
  const unknown = options.find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`a volume has no option ${quote(unknown)}; there are ${OPTIONS.join(', ')}`);
  }
  if (options.includes('ro') && options.includes('rw')) throw new InvalidArgumentError('ro and rw exclude each other');
  return options.includes('ro');
}
