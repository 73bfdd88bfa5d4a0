// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import type { ObjectStore } from '../storage/contract.ts';
import { changeKey, changesPrefix } from './keys.ts';
import { encode } from './records.ts';
import type { Surroundings } from './surroundings.ts';

const SLOT_MS = 2 * 60 * 1000;
/** Slots of a day; then they are used again. */
const SLOTS = 720;
/** Clocks of replicas may differ by this many slots, and a push may take as long. */
const SLACK = 1;
/** What was read longer ago than this is not asked for any more: older marks may be gone. */
const REMEMBERED = SLOTS / 2;
/** How long an answer about a repository that changes just now may be used again. */
const RECENT_MS = 1_000;
/** Marks of other processes are looked for this often at most. */
const LOOK_EVERY_MS = 500;

/**
 * Which repositories changed lately. Whoever changes one leaves a mark first, at most one in two minutes. Readers that
 * keep something about repositories in memory look for marks and read those repositories again. So no reader has to
 * look at all repositories, and no process has to tell another one.
 *
 * A mark stands in the slot of its time, `changes/<slot>/<repository>!`. A mark of the day before is no harm: the
 * repository is read once more.
 */
export class Changes {
  readonly #store: ObjectStore;
  readonly #surroundings: Surroundings;
  /** The last slot in which this process left a mark. */
  readonly #marked = new LRUCache<string, number>({ max: 20_000 });
  /** When this process last changed a repository. */
  readonly #own = new LRUCache<string, number>({ max: 20_000 });
  /** The newest mark of each repository that was seen since `#since`. */
  readonly #seen = new Map<string, number>();
  #since: number | undefined;
  #lookedUpTo = 0;
  #looking: { at: number; done: Promise<void> } | undefined;

  constructor(store: ObjectStore, surroundings: Surroundings) {
    this.#store = store;
    this.#surroundings = surroundings;
  }

  /**
   * Runs `work`, which changes the repository, between marks.
   *
   * @param work awaits its parameter before it changes anything
   */
  async during<T>(repository: string, work: (noted: Promise<void>) => Promise<T>): Promise<T> {
    const noted = this.#mark(repository);
    // Work that is refused before it waits has changed nothing.
    noted.catch(() => undefined);
    try {
      return await work(noted);
    } finally {
      await this.#mark(repository).catch(() => undefined);
    }
  }

  /** Sees what others marked until now. Cheap; at most one look is under way. */
  async look(): Promise<void> {
    const now = this.#surroundings.now();
    if (this.#looking !== undefined && now - this.#looking.at < LOOK_EVERY_MS) return this.#looking.done;
    const done = this.#look(now);
    this.#looking = { at: now, done };
    try {
      await done;
    } catch (error) {
      this.#looking = undefined;
      throw error;
    }
  }

  /**
   * Whether what was read about a repository still holds; {@link look} comes first.
   *
   * @param readAt when the reading began, milliseconds since 1970
   */
  holds(repository: string, readAt: number): boolean {
    const slot = slotOf(readAt);
    if (this.#since === undefined || slot - SLACK < this.#since) return false;
    const own = this.#own.get(repository);
    if (own !== undefined && own >= readAt) return false;
    const seen = this.#seen.get(repository);
    if (seen === undefined || seen < slot - SLACK) return true;
    return this.#surroundings.now() - readAt < RECENT_MS;
  }

  /** Repositories that are marked since the slot of `time`, as far as was looked. */
  *markedSince(time: number): Generator<string> {
    const slot = slotOf(time) - SLACK;
    for (const [repository, seen] of this.#seen) if (seen >= slot) yield repository;
  }

  /** Deletes marks that nobody asks for any more. */
  async prune(): Promise<number> {
    const now = slotOf(this.#surroundings.now());
    let deleted = 0;
    for (let age = REMEMBERED + 2; age < SLOTS - 2; age += 1) {
      const prefix = changesPrefix(ringOf(now - age));
      for (let more = true; more; ) {
        const page = await this.#store.list({ prefix, limit: 1000 });
        for (const key of page.keys) await this.#store.delete(key, { durable: false });
        deleted += page.keys.length;
        more = page.more;
      }
    }
    return deleted;
  }

  async #mark(repository: string): Promise<void> {
    const now = this.#surroundings.now();
    const slot = slotOf(now);
    if (this.#marked.get(repository) !== slot) {
      await this.#store.put(changeKey(ringOf(slot), repository), encode({ at: now }), { durable: false });
      this.#marked.set(repository, slot);
    }
    this.#own.set(repository, now);
    this.#note(repository, slot);
  }

  async #look(now: number): Promise<void> {
    const slot = slotOf(now);
    if (this.#since === undefined || slot - this.#lookedUpTo > REMEMBERED) {
      // Everything that was read before is too old to be vouched for.
      this.#seen.clear();
      this.#since = slot - 2 * SLACK - 1;
      this.#lookedUpTo = this.#since;
    }
    const slots: number[] = [];
    for (let at = this.#lookedUpTo - SLACK; at <= slot + SLACK; at += 1) slots.push(at);
    await Promise.all(slots.map((at) => this.#lookAt(at)));
    this.#lookedUpTo = slot;
    for (const [repository, seen] of this.#seen) if (slot - seen > REMEMBERED) this.#seen.delete(repository);
    if (slot - this.#since > REMEMBERED) this.#since = slot - REMEMBERED;
  }

  async #lookAt(slot: number): Promise<void> {
    const prefix = changesPrefix(ringOf(slot));
    for (let after = ''; ; ) {
      const { keys, more } = await this.#store.list({ prefix, after, limit: 1000 });
      for (const key of keys) this.#note(key.slice(prefix.length, -1), slot);
      after = keys.at(-1) ?? after;
      if (!more) return;
    }
  }

  #note(repository: string, slot: number): void {
    if ((this.#seen.get(repository) ?? 0) < slot) this.#seen.set(repository, slot);
  }
}

function slotOf(time: number): number {
  return Math.floor(time / SLOT_MS);
}

function ringOf(slot: number): number {
  return ((slot % SLOTS) + SLOTS) % SLOTS;
}
