// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';
import type { ObjectStore, Token } from '../../storage/contract.ts';
import { encode } from '../records.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Tally } from './report.ts';

export interface CollectionPolicy {
  /** How long a blob that no manifest names is left alone after it was brought or mounted. Milliseconds. */
  graceMs: number;
  /** How long a link stays condemned before it goes. Milliseconds. */
  settleMs: number;
  /** How long an unfinished upload may rest before it is given up. Milliseconds. */
  uploadIdleMs: number;
  /** How many moves of a tag are remembered. */
  historyKept: number;
  dryRun: boolean;
}

/** One collection at work: what its stages share. All that they change goes through here; a dry run changes nothing. */
export class Round {
  readonly store: ObjectStore;
  readonly surroundings: Surroundings;
  readonly policy: CollectionPolicy;
  readonly tally: Tally;
  readonly #gone: Set<string>;
  readonly #breathe: (after?: string) => Promise<void>;

  /**
   * @param gone what a dry run would have deleted, over all stages: a blob that only such links hold would go as well
   * @param breathe called between steps, with the place to go on from: keeps the lease, tells of progress, or throws
   */
  constructor(
    store: ObjectStore,
    surroundings: Surroundings,
    policy: CollectionPolicy,
    tally: Tally,
    gone: Set<string>,
    breathe: (after?: string) => Promise<void>,
  ) {
    this.store = store;
    this.surroundings = surroundings;
    this.policy = policy;
    this.tally = tally;
    this.#gone = gone;
    this.#breathe = breathe;
  }

  breathe(after?: string): Promise<void> {
    return this.#breathe(after);
  }

  now(): number {
    return this.surroundings.now();
  }

  /** @returns undefined where it is no longer that version */
  async replace(key: string, value: unknown, ifMatch: Token): Promise<Token | undefined> {
    if (this.policy.dryRun) return ifMatch;
    return this.store.put(key, encode(value), { condition: { ifMatch } });
  }

  /** @returns whether that version was there, and is deleted */
  async delete(key: string, ifMatch: Token): Promise<boolean> {
    if (!this.policy.dryRun) return this.store.delete(key, { ifMatch });
    this.#gone.add(key);
    return true;
  }

  isGone(key: string): boolean {
    return this.#gone.has(key);
  }

  /** @returns whether there was such data */
  async deleteData(key: string): Promise<boolean> {
    return this.policy.dryRun ? (await this.store.sizeOfData(key)) !== undefined : this.store.deleteData(key);
  }

  /** What is damaged is told of and left alone, with all that depends on it. @returns undefined where it is damaged */
  async sparing<T>(where: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'STORAGE_DAMAGED') throw error;
      this.tally.problem(where, error);
      return undefined;
    }
  }
}
