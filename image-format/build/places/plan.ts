// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { LayerRole } from '../../annotations.ts';
import { ImageError } from '../../errors.ts';
import type { EntrySource, LayerEntry } from '../../layers/index.ts';
import { isSameFile } from './same-file.ts';
import { layerPath } from './usr-merge.ts';

export interface Planned {
  entry: LayerEntry;
  role: LayerRole;
  /** Where it comes from, for errors: a host path, or words. */
  origin: string;
  /** Its layer is made already: a directory that stands there can be repeated only as it is. */
  fixed?: boolean;
}

/**
 * What is to stand at which path of the image, over all layers: a non-directory in one layer only, nothing below
 * something that is no directory, and each directory with the same metadata wherever it is repeated.
 */
export class Plan {
  readonly #planned = new Map<string, Planned>();

  get(path: string): Planned | undefined {
    return this.#planned.get(path);
  }

  /**
   * @returns what stands there now: `planned`, or the same thing that was planned before, perhaps in another layer
   * @throws ImageError `PATH_CONFLICT` where something else stands there already; the same thing twice, and a directory
   * where there is one, change nothing
   */
  add(planned: Planned): Planned {
    const known = this.#planned.get(planned.entry.path);
    if (known === undefined) this.#planned.set(planned.entry.path, planned);
    else if (!isSame(known, planned)) throw conflict(planned.entry.path, known, planned);
    return known ?? planned;
  }

  /** Adds what nobody has put there. */
  addDefault(planned: Planned): void {
    if (!this.#planned.has(planned.entry.path)) this.#planned.set(planned.entry.path, planned);
  }

  /** Where a path leads through the links of the plan, or undefined if it leaves what is planned. */
  follow(path: string, limit = 40): Planned | undefined {
    let current = path;
    for (let steps = 0; steps < limit; steps++) {
      const link = this.#firstLink(current);
      if (link === undefined) return this.#firstName(current);
      const { path: at, linkname = '' } = link.entry;
      const target = linkname.startsWith('/') ? linkname : posix.join('/', posix.dirname(at), linkname);
      current = layerPath(posix.join(target, current.slice(at.length)));
    }
    return undefined;
  }

  /** The entries of one layer, with the directories that lead to them. @throws ImageError `PATH_CONFLICT` */
  layer(role: LayerRole): LayerEntry[] {
    const entries = new Map<string, LayerEntry>();
    for (const planned of this.#planned.values()) {
      if (planned.role !== role) continue;
      entries.set(planned.entry.path, planned.entry);
      for (const parent of this.#parents(planned)) entries.set(parent.path, parent);
    }
    return [...entries.values()];
  }

  /** Of a file with several names the one that holds its content. */
  #firstName(path: string): Planned | undefined {
    const planned = this.#planned.get(path);
    return planned?.entry.type === 'hardlink' ? this.#planned.get(planned.entry.linkname ?? '') : planned;
  }

  #firstLink(path: string): Planned | undefined {
    for (let slash = path.indexOf('/'); ; slash = path.indexOf('/', slash + 1)) {
      const planned = this.#planned.get(slash < 0 ? path : path.slice(0, slash));
      if (planned?.entry.type === 'symlink') return planned;
      if (slash < 0) return undefined;
    }
  }

  *#parents(planned: Planned): Generator<LayerEntry> {
    const { path } = planned.entry;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = this.#planned.get(path.slice(0, slash));
      if (parent === undefined) continue;
      if (parent.entry.type !== 'directory') {
        throw new ImageError(
          'PATH_CONFLICT',
          `/${path} (${planned.origin}) would stand below /${parent.entry.path} (${parent.origin}), which is no directory`,
        );
      }
      yield parent.entry;
    }
  }
}

function isSame(a: Planned, b: Planned): boolean {
  if (hasContent(a) && hasContent(b)) return metadata(a.entry) === metadata(b.entry) && hasSameContent(a, b);
  if (a.entry.type !== b.entry.type) return false;
  switch (a.entry.type) {
    case 'directory':
      return (a.fixed !== true && b.fixed !== true) || metadata(a.entry) === metadata(b.entry);
    case 'symlink':
      return a.entry.linkname === b.entry.linkname;
    default:
      return a.role === b.role && a.origin === b.origin;
  }
}

/** What of an entry must be the same wherever it is repeated. */
function metadata({ mode, uid, gid, xattrs }: LayerEntry): string {
  const attributes = [...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString('hex')]).sort();
  return JSON.stringify([mode, uid, gid, attributes]);
}

/** A file, or a further name of one. */
function hasContent({ entry: { type } }: Planned): boolean {
  return type === 'file' || type === 'hardlink';
}

function hasSameContent(a: Planned, b: Planned): boolean {
  const [one, other] = [contentOf(a), contentOf(b)];
  if (one === undefined || other === undefined) return false;
  // Parts of archives come from trees, which are not planned.
  if ('partOf' in one || 'partOf' in other) return false;
  if ('file' in one && 'file' in other) return one.file === other.file || isSameFile(one.file, other.file);
  return bytesOf(one).equals(bytesOf(other));
}

/** A further name of a file has no content of its own; its origin is that name on this machine. */
function contentOf({ entry: { type, source }, origin }: Planned): EntrySource | undefined {
  return type === 'hardlink' ? { file: origin } : source;
}

function bytesOf(source: Exclude<EntrySource, { partOf: string }>): Buffer {
  return 'file' in source ? readFileSync(source.file) : Buffer.from(source.bytes);
}

function conflict(path: string, a: Planned, b: Planned): ImageError {
  const say = ({ role, origin }: Planned) => `${origin} (layer ${role})`;
  const twice = a.entry.type === 'directory' && b.entry.type === 'directory' ? 'with two modes or owners' : 'twice';
  return new ImageError('PATH_CONFLICT', `/${path} would stand in the image ${twice}: ${say(a)} and ${say(b)}`, {
    hint: 'leave one of the two out',
  });
}
