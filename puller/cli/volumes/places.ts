// SPDX-License-Identifier: Apache-2.0
// The two ends of a volume: a folder of the host, a path in the guest.
import { statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** limits.h, PATH_MAX and NAME_MAX. */
const PATH_LIMIT = 4095;
const NAME_LIMIT = 255;

/** Folders that the guest's kernel and its init fill; with `/**` all below them too. */
const RESERVED = ['/proc', '/proc/**', '/sys', '/dev', '/.uk', '/.uk/**'];

/** A path in the guest: absolute, without `.`, `..`, doubled and trailing slashes. @throws InvalidArgumentError */
export function guestPath(text: string): string {
  if (!text.startsWith('/')) {
    throw new InvalidArgumentError(`the path in the guest must be absolute: ${quote(text)}`);
  }
  if (text.includes('\0')) throw new InvalidArgumentError('a path cannot hold a NUL byte');
  const path = posix
    .normalize(text)
    .replace(/^\/+/, '/')
    .replace(/(?<=.)\/$/, '');
  if (path === '/')
    throw new InvalidArgumentError('a volume cannot take the place of / (uk run --read-only protects it)');
  const lengths = path.split('/').map((name) => Buffer.byteLength(name));
  if (Buffer.byteLength(path) > PATH_LIMIT || lengths.some((length) => length > NAME_LIMIT)) {
    throw new InvalidArgumentError(`a path in the guest is too long: ${quote(`${path.slice(0, 60)}…`)}`);
  }
  const reserved = RESERVED.some((one) =>
    one.endsWith('/**') ? path.startsWith(one.slice(0, -'**'.length)) : path === one,
  );
  if (reserved) throw new InvalidArgumentError(`${shown(path)} is the guest's own; choose another path`);
  return path;
}

/** A folder of this machine that is there, as an absolute path. @throws InvalidArgumentError */
export function hostFolder(text: string): string {
  if (text === '') throw new InvalidArgumentError('the folder to share has no name');
  if (text.includes('\0')) throw new InvalidArgumentError('a path cannot hold a NUL byte');
  const folder = resolve(text);
  let isFolder: boolean;
  try {
    isFolder = statSync(folder).isDirectory();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new InvalidArgumentError(
      code === 'ENOENT'
        ? `there is no folder ${shown(folder)}; mkdir -p makes it`
        : `cannot share ${shown(folder)}: ${message.split(',', 1)[0]}`,
    );
  }
  if (isFolder) return folder;
  throw new InvalidArgumentError(
    `${shown(folder)} is no folder, and only folders can be shared; uk build --add puts a file into the image`,
  );
}

/** A name as it is, or quoted where a terminal would do something with it. */
export function shown(name: string): string {
  return /\p{Cc}/u.test(name) ? quote(name) : name;
}

export function quote(text: string): string {
  return JSON.stringify(text);
}
