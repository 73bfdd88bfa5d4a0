// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { EntryType, LayerFile } from '../../image-format/layers/index.ts';
import { PullerError } from '../errors.ts';
import { MODE } from './cpio.ts';
import { checkReserved } from './reserved.ts';
import { SegmentWriter } from './segment-writer.ts';
import { unpackedSize } from './unpacked-size.ts';

/** What a layer puts where; enough to see whether layers fit together. */
export interface SegmentPath {
  path: string;
  type: EntryType;
  /** A symlink's target. */
  target?: string;
}

export interface SegmentContent {
  /** All paths, in order. */
  paths: SegmentPath[];
  /** Bytes of memory that its files take where they are unpacked. */
  unpackedSize: number;
}

export const SEGMENT = 'segment.cpio';

/**
 * Turns a layer into a cpio archive.
 *
 * @param folder to put {@link SEGMENT} into
 * @throws PullerError `IMAGE_UNSUPPORTED`; ImageError for a damaged layer
 */
export async function writeSegment(
  folder: string,
  role: string,
  entries: AsyncIterable<LayerFile>,
): Promise<SegmentContent> {
  const writer = await SegmentWriter.create(join(folder, SEGMENT));
  try {
    const segment = new Segment(role, writer);
    for await (const entry of entries) await segment.add(entry);
    await segment.finish();
    return { paths: segment.paths, unpackedSize: segment.unpackedSize };
  } finally {
    await writer.close();
  }
}

interface Linkable {
  entry: LayerFile;
  inode: number;
  links: number;
  offset: number;
}

class Segment {
  readonly paths: SegmentPath[] = [];
  unpackedSize = 0;
  readonly #role: string;
  readonly #writer: SegmentWriter;
  readonly #linkable = new Map<string, Linkable>();
  #inode = 1;

  constructor(role: string, writer: SegmentWriter) {
    this.#role = role;
    this.#writer = writer;
  }

  async add(entry: LayerFile): Promise<void> {
    const { path, type, linkname } = entry;
    checkPath(this.#role, path);
    this.paths.push({ path, type, ...(type === 'symlink' ? { target: linkname ?? '' } : {}) });
    this.unpackedSize += unpackedSize(type, type === 'symlink' ? Buffer.byteLength(linkname ?? '') : entry.size);
    if (type === 'hardlink') return this.#addLink(path, linkname ?? '');
    const inode = this.#inode++;
    const content = type === 'symlink' ? [Buffer.from(linkname ?? '')] : entry.content;
    const size = type === 'symlink' ? Buffer.byteLength(linkname ?? '') : entry.size;
    const offset = await this.#put(path === '' ? '.' : path, entry, size, inode, 1, content);
    if (type !== 'directory') this.#linkable.set(path, { entry, inode, links: 1, offset });
  }

  /**
   * The kernel finds the first of several links by its number, and takes the content that came with that. A link to a
   * symlink becomes a second symlink, for the format has no other way to say it.
   */
  async #addLink(path: string, target: string): Promise<void> {
    const found = this.#linkable.get(target);
    if (found === undefined) {
      throw new PullerError(
        'IMAGE_UNSUPPORTED',
        `the ${this.#role} layer links ${path} to ${target}, which it does not hold`,
      );
    }
    if (found.entry.type === 'symlink') {
      const text = Buffer.from(found.entry.linkname ?? '');
      await this.#put(path, found.entry, text.length, this.#inode++, 1, [text]);
      return;
    }
    found.links++;
    await this.#put(path, found.entry, 0, found.inode, found.links, []);
  }

  async finish(): Promise<void> {
    for (const { links, offset } of this.#linkable.values()) {
      if (links > 1) await this.#writer.setLinks(offset, links);
    }
    await this.#writer.finish();
  }

  async #put(
    path: string,
    { type, mode, uid, gid, mtime, devmajor, devminor }: LayerFile,
    size: number,
    inode: number,
    links: number,
    content: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<number> {
    const kind = MODE[type as keyof typeof MODE];
    return this.#writer.add(
      { path, mode: kind | mode, uid, gid, mtime, size, inode, links, devmajor, devminor },
      content,
    );
  }
}

function checkPath(role: string, path: string): void {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith('.wh.')) {
    throw new PullerError('IMAGE_UNSUPPORTED', `the ${role} layer removes a file of another layer (${path})`, {
      hint: 'images that uk builds have no such layers',
    });
  }
  checkReserved(path, role);
}
