// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { ImageError } from '../errors.ts';
import { detectCompression, type LayerFile, peek, readLayer } from '../layers/index.ts';
import { openFile } from './host-file.ts';

/** A chain of links in an archive is one long in practice. */
const MAX_LINKS = 8;

/**
 * The files of a tar archive by name, plain or compressed. A compressed archive cannot be read at random, so it is read
 * from its start again each time. Names in it are keys here, never paths of this machine.
 */
export class ArchiveMembers {
  readonly #file: string;
  /** Bytes of each file. */
  readonly #sizes = new Map<string, number>();
  readonly #links = new Map<string, string>();

  private constructor(file: string) {
    this.#file = file;
  }

  /** @throws ImageError `SOURCE_INVALID`, `LAYOUT_INVALID` */
  static async open(file: string): Promise<ArchiveMembers> {
    const members = new ArchiveMembers(file);
    for await (const { path, type, size, linkname } of members.#entries()) {
      // Of a name that is there twice the last counts, as it would when the archive is unpacked.
      members.#sizes.delete(path);
      members.#links.delete(path);
      if (type === 'file') members.#sizes.set(path, size);
      else if (type === 'symlink') members.#links.set(path, posix.join(posix.dirname(path), linkname ?? ''));
      else if (type === 'hardlink') members.#links.set(path, linkname ?? '');
    }
    return members;
  }

  has(name: string): boolean {
    return this.#sizes.has(this.resolve(name));
  }

  /** A name without `./`, with links followed: one layer that is there under two names is one file. */
  resolve(name: string): string {
    let path = posix.normalize(name);
    for (let links = 0; links < MAX_LINKS; links++) {
      const target = this.#links.get(path);
      if (target === undefined) break;
      path = posix.normalize(target);
    }
    return path;
  }

  /** @throws ImageError `NOT_FOUND`, `SIZE_MISMATCH` above `limit` bytes */
  async read(name: string, limit: number): Promise<Buffer> {
    const size = this.#sizes.get(this.resolve(name));
    if (size !== undefined && size > limit) {
      throw new ImageError('SIZE_MISMATCH', `${JSON.stringify(name)} has ${size} bytes; at most ${limit} are allowed`);
    }
    for await (const { content } of this.files([name])) {
      const pieces: Buffer[] = [];
      for await (const piece of content) pieces.push(Buffer.from(piece));
      return Buffer.concat(pieces);
    }
    throw lacking(name);
  }

  /**
   * The files of these names, each once, in the order of the archive. Each must be read before the next is asked for.
   *
   * @throws ImageError `NOT_FOUND` before the first, if the archive lacks one of them
   */
  async *files(names: readonly string[]): AsyncGenerator<LayerFile, void, undefined> {
    const wanted = new Set<string>();
    for (const name of names) {
      if (!this.has(name)) throw lacking(name);
      wanted.add(this.resolve(name));
    }
    for await (const entry of this.#entries()) {
      // Of two files of one name and size the first is taken. What it holds is verified, so it is the right one or none.
      if (entry.type !== 'file' || this.#sizes.get(entry.path) !== entry.size || !wanted.delete(entry.path)) continue;
      yield entry;
      if (wanted.size === 0) return;
    }
  }

  async *#entries(): AsyncGenerator<LayerFile, void, undefined> {
    const file = await openFile(this.#file);
    try {
      const { head, whole } = await peek(file);
      yield* readLayer(whole, {
        compression: detectCompression(head),
        limit: Number.MAX_SAFE_INTEGER,
        origin: 'foreign',
      });
    } catch (cause) {
      if (!(cause instanceof ImageError) || cause.code !== 'LAYER_INVALID') throw cause;
      throw new ImageError('LAYOUT_INVALID', `not a tar archive: ${cause.message}`, { cause });
    } finally {
      file.destroy();
    }
  }
}

function lacking(name: string): ImageError {
  return new ImageError(
    'NOT_FOUND',
    `it does not have the file ${JSON.stringify(name.slice(0, 300))}, which its image needs`,
  );
}
