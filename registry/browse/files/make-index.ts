// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { ImageError } from '../../../image-format/index.ts';
import { detectCompression, type LayerFile, peek, readLayer } from '../../../image-format/layers/index.ts';
import type { IndexEntry } from '../../../image-format/root/index.ts';
import type { IndexedLayer } from './indexed-layer.ts';

/** What an index may take. A layer that needs more is refused, with the reason. */
export interface IndexLimits {
  entries: number;
  /** Characters of all names together. */
  names: number;
  /** Names in all paths together: each may stand for a folder. */
  parts: number;
  /** Bytes that the layer may unpack to. */
  unpacked: number;
}

/** Linux: include/uapi/linux/limits.h, PATH_MAX. */
const PATH_MAX = 4096;

/** Files whose text pages show, and how long it may be. */
const TEXTS: ReadonlySet<string> = new Set(['boot/config', 'boot/kernel.json', 'boot/profile.json']);
const MOST_TEXT = 1024 * 1024;

/**
 * Reads a layer once from its start to its end, whatever its compression says of itself.
 *
 * @param source the blob as the registry holds it
 * @throws ImageError `LAYER_INVALID`, `COMPRESSION_INVALID`
 */
export async function makeIndex(source: AsyncIterable<Uint8Array>, limits: IndexLimits): Promise<IndexedLayer> {
  const { head, whole } = await peek(source);
  const compression = detectCompression(head);
  const entries: IndexEntry[] = [];
  const contents: string[] = [];
  const texts: Record<string, string> = {};
  let names = 0;
  let parts = 0;
  let unpacked = 0;
  for await (const file of readLayer(whole, { compression, limit: limits.unpacked, origin: 'foreign' })) {
    if (entries.length >= limits.entries) throw refused(`it has more than ${limits.entries} entries`);
    const entry = entryOf(file);
    if (entry.path.length > PATH_MAX) throw refused(`a path is longer than ${PATH_MAX} bytes`);
    names += entry.path.length + entry.target.length + entry.xattrs.reduce((sum, [name]) => sum + name.length, 0);
    if (names > limits.names) throw refused(`its names have more than ${limits.names} bytes`);
    parts += partsOf(entry.path);
    if (parts > limits.parts) throw refused('its paths are too deep');
    entries.push(entry);
    contents.push(file.type === 'file' ? await read(file, texts) : '');
    unpacked = file.offset + file.size;
  }
  return { entries, contents, unpacked, texts };
}

async function read(file: LayerFile, texts: Record<string, string>): Promise<string> {
  const hash = createHash('sha256');
  const kept: Buffer[] | undefined = TEXTS.has(file.path) && file.size <= MOST_TEXT ? [] : undefined;
  for await (const chunk of file.content) {
    hash.update(chunk);
    kept?.push(Buffer.from(chunk));
  }
  if (kept !== undefined) texts[file.path] = Buffer.concat(kept).toString('utf8');
  // Of 256 bits these 132 are enough to tell files apart.
  return hash.digest('base64url').slice(0, 22);
}

/** Of extended attributes only the names are shown. */
function entryOf(file: LayerFile): IndexEntry {
  const { path, type, mode, uid, gid, mtime, size, offset, linkname = '', devmajor = 0, devminor = 0 } = file;
  const xattrs = [...(file.xattrs?.keys() ?? [])].slice(0, 64).map((name) => [name.slice(0, 255), ''] as const);
  return {
    path,
    type,
    mode,
    uid,
    gid,
    mtime,
    size,
    offset,
    target: linkname,
    major: devmajor,
    minor: devminor,
    xattrs,
  };
}

function partsOf(path: string): number {
  let parts = 1;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) parts += 1;
  return parts;
}

function refused(why: string): ImageError {
  return new ImageError('LAYER_INVALID', `the layer cannot be listed: ${why}`);
}
