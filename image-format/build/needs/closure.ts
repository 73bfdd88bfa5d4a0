// SPDX-License-Identifier: Apache-2.0
import { realpath } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { ImageError } from '../../errors.ts';
import { hostEntryWithXattrs } from '../places/host-entry.ts';
import { placeFromSysroot } from '../places/place.ts';
import type { Plan } from '../places/plan.ts';
import { layerPath } from '../places/usr-merge.ts';
import type { ElfFile } from './elf.ts';
import { readElfIfAny } from './host-file.ts';
import type { CachedLibrary } from './ld-so-cache.ts';
import { glibcSearch, isMuslOwn, MUSL_PATH_FILE, muslSearch, type SystemSearch } from './search-paths.ts';

/** A program or library that is in the image already, whose needs are to be met. */
export interface ClosureRoot {
  /** Its file on this machine. */
  host: string;
  /** Its absolute path in the image. */
  image: string;
  elf: ElfFile;
}

export interface Missing {
  name: string;
  neededBy: string;
}

interface Loaded extends ClosureRoot {
  parent: Loaded | undefined;
}

interface Folder {
  host: string;
  image: string;
}

/** What glibc opens by itself: it unwinds by libgcc (pthread_exit, pthread_cancel, backtrace). */
const GLIBC_EXTRAS = ['libgcc_s.so.1'];

/**
 * Finds the interpreter and the libraries of programs the way the dynamic linker of the image will, in a sysroot and in
 * what is planned already, and plans them for the `deps` layer.
 *
 * @see ld.so(8); System V ABI, "Shared Object Dependencies"
 */
export class Closure {
  /** Libraries by name that were found where the system's configuration says, for `/etc/ld.so.cache`. */
  readonly system = new Map<string, CachedLibrary>();
  readonly #plan: Plan;
  readonly #sysroot: string;
  readonly #search: { glibc: SystemSearch; musl: SystemSearch };
  readonly #elves = new Map<string, Promise<ElfFile | undefined>>();

  private constructor(plan: Plan, sysroot: string, search: { glibc: SystemSearch; musl: SystemSearch }) {
    this.#plan = plan;
    this.#sysroot = sysroot;
    this.#search = search;
  }

  static async open(plan: Plan, sysroot: string): Promise<Closure> {
    return new Closure(plan, sysroot, { glibc: await glibcSearch(sysroot), musl: await muslSearch(sysroot) });
  }

  /**
   * Plans all that a program needs, level by level as ld.so loads it.
   *
   * @param fallbackInterpreter for a library that names none: that of the program which will load it
   * @returns what was not found
   */
  async add(root: ClosureRoot, fallbackInterpreter?: string): Promise<Missing[]> {
    const missing: Missing[] = [];
    const interpreter = root.elf.interpreter ?? fallbackInterpreter;
    if (root.elf.interpreter !== undefined && !(await this.#placeInterpreter(root.elf.interpreter))) {
      missing.push({ name: root.elf.interpreter, neededBy: root.host });
    }
    const musl = posix.basename(interpreter ?? '').startsWith('ld-musl-');
    const names = new Set([posix.basename(root.image), root.elf.soname]);
    const queue: Loaded[] = [{ ...root, parent: undefined }];
    for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
      for (const name of object.elf.needed) {
        if (names.has(name) || (musl && isMuslOwn(name))) continue;
        names.add(name);
        const found = await this.#find(name, object, musl);
        if (found === undefined) missing.push({ name, neededBy: object.host });
        else {
          names.add(found.elf.soname);
          queue.push(found);
        }
      }
      if (queue.length === 0 && names.has('libc.so.6')) {
        for (const name of GLIBC_EXTRAS.filter((extra) => !names.has(extra))) {
          names.add(name);
          const found = await this.#find(name, { ...root, parent: undefined }, musl);
          if (found !== undefined) queue.push(found);
        }
      }
    }
    this.#remember(root);
    return missing;
  }

  /** A library that stands where libraries are looked for can be opened by its name alone (dlopen). */
  #remember({ image, elf }: ClosureRoot): void {
    const name = elf.soname ?? posix.basename(image);
    if (elf.type !== 'shared' || elf.interpreter !== undefined || this.system.has(name)) return;
    if (this.#search.glibc.isSearched(posix.dirname(image))) this.system.set(name, { name, path: image });
  }

  async #placeInterpreter(path: string): Promise<boolean> {
    const planned = this.#plan.follow(layerPath(path))?.entry.type === 'file';
    if (!planned && (await placeFromSysroot(this.#plan, this.#sysroot, path, 'deps')) === undefined) return false;
    if (posix.basename(path).startsWith('ld-musl-')) {
      await placeFromSysroot(this.#plan, this.#sysroot, MUSL_PATH_FILE, 'deps');
    }
    return true;
  }

  async #find(name: string, requester: Loaded, musl: boolean): Promise<Loaded | undefined> {
    if (name.includes('/')) {
      // A path as it is; a relative one depends on where the program is started, and so names nothing.
      return name.startsWith('/') ? await this.#try(this.#inSysroot(name), requester) : undefined;
    }
    for (const folder of this.#ownFolders(requester)) {
      const found = await this.#try(
        { host: join(folder.host, name), image: posix.join(folder.image, name) },
        requester,
      );
      if (found !== undefined) return found;
    }
    for (const path of this.#search[musl ? 'musl' : 'glibc'].candidates(name)) {
      const found = await this.#try(this.#inSysroot(path), requester);
      if (found === undefined) continue;
      if (!musl) this.system.set(name, { name, path: `/${layerPath(path)}` });
      return found;
    }
    return undefined;
  }

  /** RPATH of the requester and of who loaded it, unless it has a RUNPATH; then its RUNPATH. */
  #ownFolders(requester: Loaded): Folder[] {
    const folders: Folder[] = [];
    if (requester.elf.runpath.length === 0) {
      for (let object: Loaded | undefined = requester; object !== undefined; object = object.parent) {
        if (object.elf.runpath.length > 0) continue;
        for (const path of object.elf.rpath) folders.push(...this.#expand(path, object));
      }
    }
    for (const path of requester.elf.runpath) folders.push(...this.#expand(path, requester));
    return folders;
  }

  /** ld.so(8), "Dynamic string tokens"; `$LIB` differs between distributions, so both are tried. */
  #expand(path: string, { host, image }: Loaded): Folder[] {
    const variants = /\$(?:LIB\b|\{LIB\})/.test(path) ? ['lib/x86_64-linux-gnu', 'lib64', 'lib'] : [''];
    return variants.map((lib) => {
      const text = path.replace(/\$(?:LIB\b|\{LIB\})/g, lib).replace(/\$(?:PLATFORM\b|\{PLATFORM\})/g, 'x86_64');
      const origin = /\$(?:ORIGIN\b|\{ORIGIN\})/g;
      if (!origin.test(text)) return this.#inSysroot(posix.resolve('/', text));
      return {
        host: posix.normalize(text.replace(origin, () => dirname(host))),
        image: posix.normalize(text.replace(origin, () => posix.dirname(image))),
      };
    });
  }

  #inSysroot(path: string): Folder {
    return { host: join(this.#sysroot, path), image: path };
  }

  /** Whether a library is there, in the plan or on this machine; in the latter case it is planned. */
  async #try(place: Folder, parent: Loaded): Promise<Loaded | undefined> {
    const planned = this.#plan.follow(layerPath(place.image))?.entry.source;
    const host = planned !== undefined && 'file' in planned ? planned.file : place.host;
    const elf = await this.#readElf(host);
    if (elf === undefined) return undefined;
    if (planned === undefined) {
      if (place.host === join(this.#sysroot, place.image)) {
        await placeFromSysroot(this.#plan, this.#sysroot, place.image, 'deps');
      } else {
        await this.#placeMoved(place);
      }
    }
    return { host, image: place.image, elf, parent };
  }

  /** Beside a program that stands elsewhere in the image than here, its libraries move with it. */
  async #placeMoved({ host, image }: Folder): Promise<void> {
    const { entry } = await hostEntryWithXattrs(await realpath(host), layerPath(image));
    this.#plan.add({ entry: { ...entry, source: { file: host } }, role: 'deps', origin: host });
  }

  #readElf(host: string): Promise<ElfFile | undefined> {
    let elf = this.#elves.get(host);
    if (elf === undefined) {
      elf = readElfIfAny(host).catch((error) => {
        if (error instanceof ImageError && error.code === 'SOURCE_INVALID') return undefined;
        throw error;
      });
      this.#elves.set(host, elf);
    }
    return elf;
  }
}

/** @throws ImageError `LIBRARY_MISSING` with all of them, if there are any */
export function refuseMissing(missing: readonly Missing[], what = 'not found'): void {
  if (missing.length === 0) return;
  const needers = new Map<string, string[]>();
  for (const { name, neededBy } of missing) needers.set(name, [...(needers.get(name) ?? []), neededBy]);
  const list = [...needers].map(([name, by]) => `${name} (needed by ${by.join(', ')})`);
  throw new ImageError('LIBRARY_MISSING', `${what}: ${list.join('; ')}`, {
    hint: 'install what is missing, or add it to the image: --add FILE:/usr/lib/',
  });
}
