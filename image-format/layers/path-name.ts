// SPDX-License-Identifier: Apache-2.0
import { damaged } from './ustar.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws ImageError `LAYER_INVALID` for what is not UTF-8, or holds a NUL */
export function decodeName(bytes: Uint8Array): string {
  let name: string;
  try {
    name = decoder.decode(bytes);
  } catch {
    throw damaged(`a name that is not UTF-8: ${JSON.stringify(Buffer.from(bytes).toString('latin1').slice(0, 80))}`);
  }
  if (name.includes('\0')) throw damaged('a name with a NUL');
  return name;
}

/**
 * A name of any bytes, one character (U+0000 to U+00FF) for each byte.
 *
 * @throws ImageError `LAYER_INVALID` for a name with a NUL
 */
export function decodeBytes(bytes: Uint8Array): string {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (name.includes('\0')) throw damaged('a name with a NUL');
  return name;
}

/** A name as a message shows it: cut where it is long, control characters escaped. */
export function printable(name: string, origin: 'strict' | 'foreign'): string {
  const text = origin === 'strict' ? name : Buffer.from(name, 'latin1').toString('utf8');
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** A path that has its plain form already: no empty part, and none that begins with a dot (some of those are plain, too). */
const PLAIN = /^[^/.][^/]*(?:\/[^/.][^/]*)*$/;

/**
 * From the root, without leading slash, `.`, or doubled slashes; the root is `''`.
 *
 * @throws ImageError `LAYER_INVALID` where `..` leads out or sideways
 */
export function cleanPath(name: string): string {
  if (PLAIN.test(name)) return name;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw damaged(`a path with "..": ${JSON.stringify(name.slice(0, 200))}`);
  return parts.join('/');
}

export function comparePaths(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
