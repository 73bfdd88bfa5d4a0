// SPDX-License-Identifier: Apache-2.0
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../../image-format/layout/durable.ts';
import { sweepUnfinished, unfinishedName } from './durable-json.ts';
import { isIdentity, livenessOf, ownIdentity, type ProcessIdentity } from './process-identity.ts';

/** What a claim was made for: to run an instance, to remove it, or to change something for a moment. */
export type Purpose = 'run' | 'removal' | 'change';

export interface Claim {
  /** Counts up; the claim with the highest number is the one that counts. */
  number: number;
  purpose: Purpose;
  owner: ProcessIdentity;
  released: boolean;
}

/** `elsewhere`: held by a process of another container, which cannot be seen from here. */
export type Holding = 'free' | 'held' | 'elsewhere';

/** So long a claim of another container is believed without further proof. */
const BELIEVED_MS = 60_000;

/**
 * A folder of claims on one thing, of which one process at most has it. A claim is a file whose name is a number. A new
 * one takes the next number by link(2), which only one process can do, and only when the owner of the highest one has
 * given it back or is dead. The highest number is never removed. So a process that was killed leaves nothing to clean up,
 * and a slow one cannot take away what another has taken meanwhile.
 */
export class Claims {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns the claim that counts; undefined where there never was one */
  async current(): Promise<Claim | undefined> {
    for (;;) {
      const number = (await this.#numbers()).at(-1);
      if (number === undefined) return undefined;
      const claim = await this.#read(number);
      // One that has gone meanwhile was followed by another.
      if (claim !== undefined) return claim;
    }
  }

  /** Whether a claim is held now. */
  async holding(claim: Claim | undefined): Promise<Holding> {
    if (claim === undefined || claim.released) return 'free';
    const liveness = livenessOf(claim.owner);
    if (liveness === 'alive') return 'held';
    if (liveness === 'dead') return 'free';
    const age = await stat(this.#path(claim.number)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    return age < BELIEVED_MS ? 'held' : 'elsewhere';
  }

  /**
   * Takes it.
   *
   * @param stillThere asked about an owner in another container
   * @returns undefined where another process has it
   */
  async take(purpose: Purpose, stillThere: () => Promise<boolean> = async () => false): Promise<Claim | undefined> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const last = await this.current();
    const holding = await this.holding(last);
    if (holding === 'held' || (holding === 'elsewhere' && (await stillThere()))) return undefined;
    const claim: Claim = { number: (last?.number ?? 0) + 1, purpose, owner: ownIdentity(), released: false };
    if (!(await this.#place(claim))) return undefined;
    const numbers = await this.#numbers();
    if (numbers.at(-1) !== claim.number) {
      // Others have gone on while this process slept: it has made a number again that was removed.
      await rm(this.#path(claim.number), { force: true });
      return undefined;
    }
    for (const number of numbers.slice(0, -1)) await rm(this.#path(number), { force: true });
    await sweepUnfinished(this.#folder);
    return claim;
  }

  /** Gives it back. Only its owner may. */
  async release(claim: Claim): Promise<void> {
    const temporary = this.#temporary();
    try {
      await writeFile(temporary, encode({ ...claim, released: true }), { mode: 0o600 });
      await rename(temporary, this.#path(claim.number));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      // With its folder the claim is gone, too.
      if (!isMissing(error)) throw error;
    }
  }

  async #place(claim: Claim): Promise<boolean> {
    const temporary = this.#temporary();
    try {
      await writeFile(temporary, encode(claim), { flag: 'wx', mode: 0o600 });
      await link(temporary, this.#path(claim.number));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(temporary, { force: true }).catch(() => {});
    }
  }

  async #numbers(): Promise<number[]> {
    try {
      const names = await readdir(this.#folder);
      return names
        .filter((name) => /^[0-9]+$/.test(name))
        .map(Number)
        .sort((one, other) => one - other);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async #read(number: number): Promise<Claim | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path(number), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    return decode(text, number);
  }

  #path(number: number): string {
    return join(this.#folder, String(number));
  }

  #temporary(): string {
    return join(this.#folder, unfinishedName());
  }
}

function encode({ purpose, owner, released }: Claim): string {
  return `${JSON.stringify({ purpose, owner, released })}\n`;
}

/** A claim appears whole. One that cannot be read lost its text in a power failure, and its owner is gone, too. */
function decode(text: string, number: number): Claim {
  const nobody = { pid: 1, start: '', boot: '', namespace: '' };
  try {
    const { purpose, owner, released } = JSON.parse(text) as Partial<Claim>;
    if (isIdentity(owner)) return { number, purpose: purpose ?? 'change', owner, released: released === true };
  } catch {
    // See above.
  }
  return { number, purpose: 'change', owner: nobody, released: true };
}
