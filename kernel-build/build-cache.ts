// SPDX-License-Identifier: Apache-2.0
import { access, link, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseDirectory } from '../hardware-profiles/index.ts';
import { type Digest, digestHex } from '../image-format/index.ts';
import { KernelError } from './errors.ts';
import { IDENTITY, isAlive, processIdentity } from './process-identity.ts';

/** How often a process that waits for another one's build looks whether it is done. */
const POLL_MS = 200;

/** How often a builder shows those who cannot see its process that it is at work. */
const BEAT_MS = 10_000;

/** A builder that cannot be seen, and has shown nothing for so long, is gone. */
const SILENCE_MS = 120_000;

/** `$XDG_CACHE_HOME/uk/WHAT`, or `~/.cache/uk/WHAT`. */
export function defaultCacheFolder(what: 'kernels' | 'libc' | 'selftests'): string {
  return join(baseDirectory('XDG_CACHE_HOME'), 'uk', what);
}

/**
 * What was built, each in a folder named by its key, which is there whole or not at all. Beside them, while a build
 * runs: `building-OWNER` (its scratch folder) and `KEY.lock` (the owner's identity). What owners that are gone have
 * left is removed by the next build. Containers that share the folder cannot see each other's processes: a builder
 * renews the time of its lock and its folder while it works.
 */
export class BuildCache {
  readonly folder: string;
  readonly #owner: string;

  constructor(folder: string) {
    this.folder = folder;
    this.#owner = processIdentity() ?? `${process.pid}-0-00000000`;
  }

  pathOf(key: Digest): string {
    return join(this.folder, digestHex(key));
  }

  async has(key: Digest): Promise<boolean> {
    return access(this.pathOf(key)).then(
      () => true,
      () => false,
    );
  }

  /**
   * Runs `build` unless the result is there, or another process builds it: then waits for that one.
   *
   * @param build fills the folder it is given; a second one is for its scratch files, and is removed
   * @param onWait called once if there is another builder
   * @throws KernelError `CACHE_IO`; what `build` throws; the signal's reason
   */
  async ensure(
    key: Digest,
    build: (result: string, scratch: string) => Promise<void>,
    { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: (() => void) | undefined } = {},
  ): Promise<void> {
    await this.#prepare();
    const lock = `${this.pathOf(key)}.lock`;
    while (!(await this.#lock(lock, signal, onWait))) if (await this.has(key)) return;
    const scratch = join(this.folder, `building-${this.#owner}-${digestHex(key).slice(0, 12)}`);
    const beat = setInterval(() => void renew(lock, scratch), BEAT_MS);
    beat.unref();
    try {
      if (await this.has(key)) return;
      const result = join(scratch, 'result');
      await mkdir(result, { recursive: true });
      await build(result, scratch);
      await this.#publish(result, key);
    } finally {
      clearInterval(beat);
      await rm(scratch, { recursive: true, force: true });
      await rm(lock, { force: true });
    }
  }

  async #prepare(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true });
      for (const name of await readdir(this.folder)) {
        const owner = LEFT.exec(name)?.[1];
        if (owner === undefined || (await isAtWork(owner, join(this.folder, name)))) continue;
        // Where an orphan of its still writes, the build after this one succeeds.
        await rm(join(this.folder, name), { recursive: true, force: true }).catch(() => undefined);
      }
    } catch (cause) {
      throw new KernelError('CACHE_IO', `the build cache cannot be used: ${this.folder}`, {
        cause,
        hint: 'set XDG_CACHE_HOME to a folder that can be written',
      });
    }
  }

  /**
   * Takes the lock, or waits until it is gone. Should two processes ever hold it at once, both build, and one of them
   * publishes: the lock saves work, no more.
   */
  async #lock(path: string, signal: AbortSignal | undefined, onWait: (() => void) | undefined): Promise<boolean> {
    if (await this.#takeLock(path)) return true;
    for (let waited = false; ; ) {
      const owner = await readFile(path, 'utf8').catch(() => undefined);
      if (owner === undefined) return false;
      if (!(await isAtWork(owner, path))) {
        await this.#breakLock(path, owner);
        return false;
      }
      if (!waited) onWait?.();
      waited = true;
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  /** By a link, so that the lock is never there without its owner's name. */
  async #takeLock(path: string): Promise<boolean> {
    const mine = `${path}.new-${this.#owner}`;
    try {
      await writeFile(mine, this.#owner);
      await link(mine, path);
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw new KernelError('CACHE_IO', `the build cache cannot be written: ${this.folder}`, { cause });
    } finally {
      await rm(mine, { force: true });
    }
  }

  /** Moves a dead owner's lock away; puts it back if a living one took it in between. */
  async #breakLock(path: string, dead: string): Promise<void> {
    const away = `${path}.${this.#owner}`;
    try {
      await rename(path, away);
      if ((await readFile(away, 'utf8')) !== dead) await rename(away, path);
    } catch {
      // Another one was faster.
    } finally {
      await rm(away, { force: true });
    }
  }

  /** Everything on the disk, then the name. Whoever was first has won: the bytes are the same. */
  async #publish(result: string, key: Digest): Promise<void> {
    try {
      for (const entry of await readdir(result, { recursive: true, withFileTypes: true })) {
        if (entry.isFile() || entry.isDirectory()) await sync(join(entry.parentPath, entry.name));
      }
      await sync(result);
      await rename(result, this.pathOf(key));
      await sync(this.folder);
    } catch (cause) {
      if (await this.has(key)) return;
      throw new KernelError('CACHE_IO', `what was built cannot be put into the cache: ${this.folder}`, {
        cause,
        hint: 'is the disk full?',
      });
    }
  }
}

/** A scratch folder's name, with its owner. */
const LEFT = new RegExp(`^building-(${IDENTITY.source})-`);

/** Whether an owner works: its process is there, or, where that cannot be seen, what is its own was renewed lately. */
async function isAtWork(owner: string, path: string): Promise<boolean> {
  const seen = isAlive(owner);
  if (seen !== undefined) return seen;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs < SILENCE_MS;
}

async function renew(...paths: string[]): Promise<void> {
  const now = new Date();
  for (const path of paths) await utimes(path, now, now).catch(() => undefined);
}

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}
