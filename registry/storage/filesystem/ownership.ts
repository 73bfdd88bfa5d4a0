// SPDX-License-Identifier: Apache-2.0
import { link, mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { processStart } from '../../../image-format/layout/process-start.ts';
import { RegistryError } from '../../errors.ts';
import { errnoOf, orUndefined, storage } from './failures.ts';
import type { Layout } from './layout.ts';
import { identify, isAlive, isHere, type ProcessIdentity } from './process-identity.ts';

export const BEAT_MS = 5_000;
/** A server on another machine, or in another container, that has not shown itself for this long is gone. */
export const SILENCE_MS = 20_000;
/** How long a successor waits for the worker processes of a server that was killed: they end as soon as they notice. */
const ORPHANS_MS = 10_000;
const POLL_MS = 20;

/** Who runs on a folder. */
interface Owner extends ProcessIdentity {
  /** Processes that write for this one, and may outlive it for a moment. */
  workers?: { pid: number; started: string }[];
  released?: boolean;
}

/** The right to write to a folder, as long as nobody took it over. */
export interface Ownership {
  /** The number of the claim. */
  readonly claim: number;

  /** Says which worker processes write for this one, before they do. @throws RegistryError as `ensure` */
  nameWorkers(pids: readonly number[]): Promise<void>;

  /**
   * Before every write. A server that was suspended for so long that another one could take it for gone looks first
   * whether that happened; once it did, nothing is written any more.
   *
   * @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE`
   */
  ensure(): Promise<void>;
  release(): Promise<void>;
}

/**
 * One server a folder, because the lock among writers lives in that server. Ownership is a chain of files
 * `server.<n>`: the highest number owns, and taking over the chain from `n` means making `n + 1` with link(2), which
 * only one can. A released or dead owner's file stays until its successor removes it, so numbers never come back.
 *
 * @throws RegistryError `STORAGE_IN_USE` while another server lives
 */
export async function takeOwnership(layout: Layout): Promise<Ownership> {
  const me = identify();
  await mkdir(layout.temporary, { recursive: true });
  const draft = layout.temporaryPath();
  await writeFile(draft, JSON.stringify(me), { flag: 'wx' });
  try {
    const before = highest(await claims(layout));
    if (before !== undefined) await refuseIfAlive(layout, before);
    const mine = (before ?? 0) + 1;
    const path = claimPath(layout, mine);
    try {
      await link(draft, path);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw inUse(layout, await readOwner(path));
      throw error;
    }
    const now = await claims(layout);
    if (highest(now) !== mine) {
      await unlink(path);
      throw inUse(layout, await readOwner(claimPath(layout, highest(now) ?? 0)));
    }
    for (const old of now) if (old !== mine) await orUndefined(unlink(claimPath(layout, old)));
    return new Claim(layout, mine, me);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

/** A claim that shows from time to time that its server lives, and sees when another one took it for dead. */
class Claim implements Ownership {
  readonly #layout: Layout;
  readonly #mine: number;
  #me: Owner;
  /** One rewriting of the claim's file after the other. */
  #writing: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;
  /** Wall-clock time, as a monotonic clock stands still while the machine sleeps. */
  #seen = Date.now();
  #beating: Promise<void> | undefined;
  #lost: RegistryError | undefined;

  constructor(layout: Layout, mine: number, me: Owner) {
    this.#layout = layout;
    this.#mine = mine;
    this.#me = me;
    // What fails here is told to the next writer.
    this.#timer = setInterval(() => this.#beat().catch(() => undefined), BEAT_MS);
    this.#timer.unref();
  }

  async ensure(): Promise<void> {
    if (this.#lost === undefined && Date.now() - this.#seen > SILENCE_MS) {
      await storage(`keep the storage folder ${this.#layout.root}`, () => this.#beat());
    }
    if (this.#lost !== undefined) throw this.#lost;
  }

  get claim(): number {
    return this.#mine;
  }

  async nameWorkers(pids: readonly number[]): Promise<void> {
    await this.ensure();
    const workers = pids.flatMap((pid) => {
      const started = processStart(pid);
      return started === undefined ? [] : { pid, started };
    });
    await storage(`name the workers in ${this.#layout.root}`, () => this.#rewrite({ ...this.#me, workers }));
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beat().catch(() => undefined);
    if (this.#lost !== undefined) return;
    // A full disk, or a folder that somebody removed: the next server sees that this process is gone.
    await this.#rewrite({ ...this.#me, workers: [], released: true }).catch(() => undefined);
  }

  #rewrite(me: Owner): Promise<void> {
    const rewrite = async () => {
      const draft = this.#layout.temporaryPath();
      try {
        await writeFile(draft, JSON.stringify(me));
        await rename(draft, claimPath(this.#layout, this.#mine));
      } catch (error) {
        await unlink(draft).catch(() => undefined);
        throw error;
      }
      this.#me = me;
    };
    this.#writing = this.#writing.then(rewrite, rewrite);
    return this.#writing;
  }

  /** One for all who ask at once. */
  #beat(): Promise<void> {
    this.#beating ??= this.#show().finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  async #show(): Promise<void> {
    if (this.#lost !== undefined) return;
    const now = new Date();
    const path = claimPath(this.#layout, this.#mine);
    const there = await orUndefined(utimes(path, now, now).then(() => true));
    // A successor claims first and removes then.
    const owner = there ? await newestClaim(this.#layout) : undefined;
    if (owner === this.#mine) this.#seen = now.getTime();
    else this.#lost = superseded(this.#layout);
  }
}

async function refuseIfAlive(layout: Layout, claim: number): Promise<void> {
  const path = claimPath(layout, claim);
  const owner = await readOwner(path);
  if (owner === undefined || owner.released) return;
  if (isHere(owner)) {
    if (isAlive(owner)) throw inUse(layout, owner);
    const patience = Date.now() + ORPHANS_MS;
    for (const worker of owner.workers ?? []) {
      while (isAlive(worker)) {
        if (Date.now() > patience) throw inUse(layout, { ...owner, pid: worker.pid });
        await wait(POLL_MS);
      }
    }
    return;
  }
  const seen = await orUndefined(stat(path));
  if (seen !== undefined && Date.now() - seen.mtimeMs < SILENCE_MS) throw inUse(layout, owner);
}

/** The claim of whoever owns the folder now. */
export async function newestClaim(layout: Layout): Promise<number> {
  return highest(await claims(layout)) ?? 0;
}

async function claims(layout: Layout): Promise<number[]> {
  const names = await readdir(layout.root);
  return names.flatMap((name) => /^server\.([0-9]{1,15})$/.exec(name)?.[1] ?? []).map(Number);
}

function highest(numbers: number[]): number | undefined {
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function claimPath(layout: Layout, claim: number): string {
  return join(layout.root, `server.${claim}`);
}

async function readOwner(path: string): Promise<Owner | undefined> {
  const text = await orUndefined(readFile(path, 'utf8'));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Owner);
  } catch {
    // A loss of power can leave an empty file; whoever wrote it is not running any more.
    return undefined;
  }
}

function inUse(layout: Layout, owner: Owner | undefined): RegistryError {
  const who = owner === undefined ? 'another server' : `the server with process id ${owner.pid} on ${owner.host}`;
  return new RegistryError('STORAGE_IN_USE', `the storage folder ${layout.root} is in use by ${who}`, {
    hint: 'stop that server first, or give this one another folder',
  });
}

export function superseded({ root }: Layout): RegistryError {
  return new RegistryError('STORAGE_IN_USE', `the storage folder ${root} was taken over while this server was silent`, {
    hint: 'this server writes nothing any more; stop it, and use the one that runs on the folder now',
  });
}
