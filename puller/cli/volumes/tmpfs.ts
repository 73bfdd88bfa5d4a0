// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander';
import { parseMemory } from '../../../hardware-profiles/memory.ts';
import type { VolumeRequest } from '../../volumes/request.ts';
import { guestPath, quote } from './places.ts';

type Tmpfs = Extract<VolumeRequest, { kind: 'tmpfs' }>;

/** Switches of a mount, and what each is the opposite of. */
const SWITCHES: Readonly<Record<string, string | undefined>> = { ro: 'rw', rw: 'ro', exec: 'noexec', noexec: 'exec' };

/** On without being asked for, as in container engines. */
const ALWAYS = ['nosuid', 'nodev'];

const KNOWN = 'size=, mode=, ro, rw, exec, noexec, nosuid, nodev';

/** `DST[:size=64m,mode=1777,ro,noexec,exec,nosuid,nodev]`. @throws InvalidArgumentError */
export function collectTmpfs(text: string, previous: Tmpfs[] = []): Tmpfs[] {
  const colon = text.indexOf(':');
  const path = guestPath(colon === -1 ? text : text.slice(0, colon));
  const options = colon === -1 ? [] : text.slice(colon + 1).split(',');
  return [...previous, { kind: 'tmpfs', path, options: tmpfsOptions(options) }];
}

/**
 * Options of a guest's tmpfs, from those that a user gave. Programs in it are not executed unless `exec` is given.
 *
 * @throws InvalidArgumentError for what is not known or contradicts another option
 */
export function tmpfsOptions(given: readonly string[]): string[] {
  const switches = new Set<string>();
  let [size, mode]: string[] = [];
  for (const option of given) {
    const [name = '', value] = cut(option, '=');
    if (name === 'size') size = `size=${sizeOf(value)}`;
    else if (name === 'mode') mode = `mode=${modeOf(value)}`;
    else if (ALWAYS.includes(option)) continue;
    else if (Object.hasOwn(SWITCHES, option)) switches.add(option);
    else throw new InvalidArgumentError(`a tmpfs has no option ${quote(option)}; there are ${KNOWN}`);
  }
  for (const name of switches) {
    const opposite = SWITCHES[name] ?? '';
    if (switches.has(opposite)) throw new InvalidArgumentError(`${name} and ${opposite} exclude each other`);
  }
  return [
    ...(switches.has('ro') ? ['ro'] : []),
    ...(switches.has('exec') ? [] : ['noexec']),
    ...ALWAYS,
    ...[size, mode].filter((option) => option !== undefined),
  ];
}

/** In bytes, or as a share of the guest's memory. */
function sizeOf(text = ''): string {
  if (/^(?:[1-9][0-9]?|100)%$/.test(text)) return text;
  const bytes = parseMemory(text);
  if (bytes === undefined) throw new InvalidArgumentError(`${quote(text)} is no size; write 64m or 50%`);
  return String(bytes);
}

function modeOf(text = ''): string {
  if (!/^0*[0-7]{1,4}$/.test(text)) throw new InvalidArgumentError(`${quote(text)} is no mode; write 1777 or 0700`);
  return Number.parseInt(text, 8).toString(8);
}

function cut(text: string, mark: string): [before: string, behind?: string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
