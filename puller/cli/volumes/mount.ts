// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander';
import type { VolumeRequest } from '../../volumes/request.ts';
import { splitCsv } from './csv.ts';
import { guestPath, hostFolder, quote } from './places.ts';
import { tmpfsOptions } from './tmpfs.ts';
import { scratch, volumeName } from './volume.ts';

const FORM = 'write type=bind|volume|tmpfs,src=SRC,dst=DST[,ro], as in type=bind,src=./site,dst=/srv,ro';

const TYPES = ['bind', 'volume', 'tmpfs'] as const;

/** The names of a field, and the types that have it. */
const FIELDS: readonly { names: readonly string[]; types: readonly string[] }[] = [
  { names: ['type'], types: TYPES },
  { names: ['src', 'source'], types: ['bind', 'volume'] },
  { names: ['dst', 'destination', 'target'], types: TYPES },
  { names: ['ro', 'readonly'], types: TYPES },
  { names: ['volume-nocopy'], types: ['volume'] },
  { names: ['tmpfs-size'], types: ['tmpfs'] },
  { names: ['tmpfs-mode'], types: ['tmpfs'] },
];

/**
 * `type=bind|volume|tmpfs,src=…,dst=…,ro,tmpfs-size=…,tmpfs-mode=…`, in Docker's syntax. Without `type` it is a volume,
 * without `src` such a volume is scratch space.
 *
 * @throws InvalidArgumentError
 */
export function collectMount(text: string, previous: VolumeRequest[] = []): VolumeRequest[] {
  const fields = readFields(text);
  const type = fields.get('type') ?? 'volume';
  for (const [name] of fields) {
    const known = FIELDS.find(({ names }) => names[0] === name);
    if (!known?.types.includes(type)) throw new InvalidArgumentError(`a mount of type ${type} has no ${name}`);
  }
  const destination = fields.get('dst');
  if (destination === undefined) throw new InvalidArgumentError(`dst is missing; ${FORM}`);
  return [...previous, request(type, fields, destination)];
}

function request(type: string, fields: ReadonlyMap<string, string>, destination: string): VolumeRequest {
  const readOnly = isOn(fields, 'ro');
  const source = fields.get('src');
  if (type === 'tmpfs') return tmpfs(fields, destination, readOnly);
  if (type === 'bind') {
    if (source === undefined) throw new InvalidArgumentError(`src is missing; ${FORM}`);
    return { kind: 'folder', folder: hostFolder(source), path: guestPath(destination), readOnly };
  }
  const copy = !isOn(fields, 'volume-nocopy');
  if (source === undefined) return scratch(destination, readOnly);
  return { kind: 'named', name: volumeName(source), path: guestPath(destination), readOnly, copy };
}

function tmpfs(fields: ReadonlyMap<string, string>, destination: string, readOnly: boolean): VolumeRequest {
  const options = ['size', 'mode'].flatMap((name) => {
    const value = fields.get(`tmpfs-${name}`);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  if (readOnly) options.push('ro');
  return { kind: 'tmpfs', path: guestPath(destination), options: tmpfsOptions(options) };
}

/** By the first of a field's names. A switch without a value is on. */
function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const written = equals === -1 ? field : field.slice(0, equals);
    const name = FIELDS.find(({ names }) => names.includes(written.toLowerCase()))?.names[0];
    if (name === undefined) throw new InvalidArgumentError(`${quote(written)} is not known; ${FORM}`);
    if (fields.has(name)) throw new InvalidArgumentError(`${name} is given twice`);
    if (equals === -1 && !SWITCHES.includes(name)) throw new InvalidArgumentError(`${name} needs a value; ${FORM}`);
    fields.set(name, equals === -1 ? 'true' : field.slice(equals + 1));
  }
  const type = fields.get('type');
  if (type !== undefined && !(TYPES as readonly string[]).includes(type)) {
    throw new InvalidArgumentError(`there is no type ${quote(type)}; there are ${TYPES.join(', ')}`);
  }
  return fields;
}

const SWITCHES = ['ro', 'volume-nocopy'];

function isOn(fields: ReadonlyMap<string, string>, name: string): boolean {
  const value = fields.get(name);
  if (value === undefined || /^(?:0|f|false)$/i.test(value)) return false;
  if (/^(?:1|t|true)$/i.test(value)) return true;
  throw new InvalidArgumentError(`${name} is true or false, not ${quote(value)}`);
}
