// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Digest, digestAlgorithm, digestHex } from '../../digest.ts';
import { isMissing } from '../durable.ts';
import { isOwnerAlive, ownerName } from '../process-owner.ts';
import { PartialBlob } from './partial-blob.ts';

/** A partial blob that nobody went on with for so long is not wanted any more. */
const KEPT_MS = 14 * 24 * 3600 * 1000;
/** Somebody in another PID namespace can only be judged by whether bytes still come. */
const FOREIGN_IDLE_MS = 120_000;
const POLL_MS = 200;
/** The owner of what a process has given back on purpose. */
const FREE = 'free';

/** A partial blob and the folder that it is in. */
export interface Claim {
  blob: PartialBlob;
  folder: string;
}

/**
 * The folder of blobs that were received in part, `<algorithm>-<hex>.<owner>` each. Renaming one of them is how a process
 * makes it its own: only one can, and only of a process that is gone. So no two processes ever write one file.
 */
export class PartialFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes a partial blob one's own, the one with which somebody else went farthest, or a new one. While another process
   * receives it this waits.
   *
   * @param isThere asked while this waits: whether the blob has become whole
   * @returns undefined once the blob is whole
   */
  async claim(
    expected: { digest: Digest; size: number },
    isThere: () => Promise<boolean>,
    signal: AbortSignal | undefined,
  ): Promise<Claim | undefined> {
    await mkdir(this.#path, { recursive: true });
    const key = keyOf(expected.digest);
    const mine = join(this.#path, `${key}.${ownerName()}-${randomBytes(4).toString('hex')}`);
    while (!(await isThere())) {
      signal?.throwIfAborted();
      const others = await this.#of(key);
      if (others.some(({ alive }) => alive)) {
        await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
        continue;
      }
      const [best, ...rest] = others;
      if (best === undefined) await mkdir(mine);
      else if (!(await moved(best.path, mine))) continue;
      for (const { path } of rest) await rm(path, { recursive: true, force: true });
      // Another process may have begun at the same moment. One of the two at least sees the other, and steps back.
      if ((await this.#of(key)).some(({ path, alive }) => alive && path !== mine)) {
        await this.#giveBack(key, mine);
        await delay(Math.random() * POLL_MS, undefined, signal === undefined ? {} : { signal });
        continue;
      }
      const blob = await PartialBlob.open(mine, expected).catch(async (error) => {
        await this.#giveBack(key, mine);
        throw error;
      });
      return { blob, folder: mine };
    }
    // Its owner may have been killed when the blob had its name already.
    for (const { path, alive } of await this.#of(key)) {
      if (!alive) await rm(path, { recursive: true, force: true });
    }
    return undefined;
  }

  /** Leaves a partial blob to whoever goes on with it. */
  async release({ blob, folder }: Claim): Promise<void> {
    await blob.close();
    if (blob.received === 0) await rm(folder, { recursive: true, force: true });
    else await this.#giveBack(keyOf(blob.digest), folder);
  }

  async remove({ blob, folder }: Claim): Promise<void> {
    await blob.close();
    await rm(folder, { recursive: true, force: true });
  }

  /** Bytes that are there of a blob, as far as its file's blocks say. 0 where there is none. */
  async received(digest: Digest): Promise<number> {
    const [best] = await this.#of(keyOf(digest));
    if (best === undefined) return 0;
    const info = await stat(join(best.path, 'data')).catch(() => undefined);
    return info === undefined ? 0 : Math.min(info.size, info.blocks * 512);
  }

  /** Removes what nobody went on with. */
  async clean(now = Date.now()): Promise<void> {
    for (const name of await readdir(this.#path).catch(() => [])) {
      const path = join(this.#path, name);
      const written = await lastWrite(path);
      if (now - written < KEPT_MS || this.#isAlive(name, written)) continue;
      await rm(path, { recursive: true, force: true }).catch(() => {});
    }
  }

  async #giveBack(key: string, folder: string): Promise<void> {
    const free = join(this.#path, `${key}.${FREE}`);
    if (await moved(folder, free)) return;
    // Of two that were given back the fuller one stays.
    if ((await journalSize(folder)) > (await journalSize(free))) {
      await rm(free, { recursive: true, force: true });
      if (await moved(folder, free)) return;
    }
    await rm(folder, { recursive: true, force: true });
  }

  /** Those of one blob; of those that nobody has, the one with most bytes first. */
  async #of(key: string): Promise<{ path: string; alive: boolean; journal: number }[]> {
    const names = (await readdir(this.#path).catch(() => [])).filter((name) => name.startsWith(`${key}.`));
    const found = [];
    for (const name of names) {
      const path = join(this.#path, name);
      const written = await lastWrite(path);
      found.push({ path, alive: this.#isAlive(name, written), journal: await journalSize(path) });
    }
    return found.sort((a, b) => b.journal - a.journal);
  }

  #isAlive(name: string, written: number): boolean {
    const owner = name.slice(name.indexOf('.') + 1);
    return owner !== FREE && (isOwnerAlive(owner) ?? Date.now() - written < FOREIGN_IDLE_MS);
  }
}

function keyOf(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}

/** It grows with each block. */
async function journalSize(folder: string): Promise<number> {
  return (await stat(join(folder, 'journal')).catch(() => undefined))?.size ?? 0;
}

/** Milliseconds since 1970; 0 where there is nothing. */
async function lastWrite(folder: string): Promise<number> {
  const info =
    (await stat(join(folder, 'journal')).catch(() => undefined)) ?? (await stat(folder).catch(() => undefined));
  return info?.mtimeMs ?? 0;
}

/** Whether it was there to be moved, and nothing was in the way. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (isMissing(error) || code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}
