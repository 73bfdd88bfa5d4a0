// SPDX-License-Identifier: Apache-2.0
import type { Random } from './random.ts';

/** What dies at once: a server or a collector. */
export class SimulatedProcess {
  readonly name: string;
  readonly #died = Promise.withResolvers<never>();
  #alive = true;

  constructor(name: string) {
    this.name = name;
    this.#died.promise.catch(() => undefined);
  }

  get alive(): boolean {
    return this.#alive;
  }

  die(): void {
    this.#alive = false;
    this.#died.reject(new Died(this.name));
  }

  /** What a client sees of a request: its answer, or a connection that breaks. @throws Died */
  async request<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#alive) throw new Died(this.name);
    const answer = work();
    answer.catch(() => undefined);
    return Promise.race([answer, this.#died.promise]);
  }
}

export class Died extends Error {
  constructor(name: string) {
    super(`${name} was killed`);
  }
}

interface Step {
  process: SimulatedProcess;
  label: string;
  /** Whether it changes anything, or only brings an answer. */
  effect: boolean;
  perform(): void;
}

/** How far the clock may jump between two steps. */
const MINUTE = 60_000;
const JUMPS = [MINUTE, 61 * MINUTE, 7 * 60 * MINUTE, 25 * 60 * MINUTE, 8 * 24 * 60 * MINUTE];
const FIRST_MS = 1_700_000_000_000;

/**
 * Decides what happens next. Every call of the store waits here; one at a time is chosen at random, takes effect, and is
 * answered, at once or at a later turn. Nothing else in a simulation waits, so a seed decides everything.
 */
export class Scheduler {
  readonly random: Random;
  readonly jumpChance: number;
  repeatChance: number;
  readonly #sleepChance: number;
  readonly #wakeChance: number;
  /** Calls that took effect, in their order; for whoever looks into a failure. */
  readonly trace: string[] | undefined;
  #waiting: Step[] = [];
  readonly #asleep = new Set<SimulatedProcess>();
  #now = FIRST_MS;
  #steps = 0;

  constructor(random: Random, options: { jumpChance: number; repeatChance: number; trace?: string[] | undefined }) {
    this.random = random;
    this.jumpChance = options.jumpChance;
    this.repeatChance = options.repeatChance;
    this.#sleepChance = random.pick([0, 0.01, 0.02]);
    this.#wakeChance = random.pick([0.01, 0.03]);
    this.trace = options.trace;
  }

  /** Milliseconds since 1970, as all processes see it. */
  get now(): number {
    return this.#now;
  }

  /** Counts what happened so far: the order of events. */
  get steps(): number {
    return this.#steps;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  /**
   * As {@link call}; now and then the first answer of a `put` is lost on the way, and what lies between us and the store
   * asks again, as clients of S3 do: then a condition may have failed because of ourselves.
   */
  async callStore<T>(process: SimulatedProcess, label: string, effect: () => T): Promise<T> {
    const repeated = label.startsWith('put ') && this.random.chance(this.repeatChance);
    if (repeated) await this.call(process, `${label}, whose answer is lost`, effect);
    return this.call(process, label, effect);
  }

  /** @returns what `effect` does, when its turn has come; never, where the process is killed before the answer */
  call<T>(process: SimulatedProcess, label: string, effect: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!process.alive) return;
      const perform = () => {
        this.trace?.push(`${this.#steps} ${process.name} ${label}`);
        let answer: () => void;
        try {
          const value = effect();
          answer = () => resolve(value);
        } catch (error) {
          answer = () => reject(error);
        }
        if (process.alive && this.random.chance(0.25)) {
          this.#waiting.push({ process, label: `answer to ${label}`, effect: false, perform: answer });
        } else {
          answer();
        }
      };
      this.#waiting.push({ process, label, effect: true, perform });
    });
  }

  /** Kills a process: what it waits for may still happen or not, nothing it would do after that does. */
  kill(process: SimulatedProcess): void {
    this.trace?.push(`${this.#steps} ${process.name} is killed`);
    const pending = this.#waiting.filter((step) => step.process === process);
    this.#waiting = this.#waiting.filter((step) => step.process !== process);
    process.die();
    for (const step of pending) if (step.effect && this.random.chance(0.5)) step.perform();
    this.#steps += 1;
  }

  /** @param between called before each step */
  async run(between: () => void = () => undefined, limit = 50_000): Promise<void> {
    for (;;) {
      // Everything that can go on without the store has gone on by then.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#waiting.length === 0) return;
      between();
      if (this.#waiting.length === 0) continue;
      const step = this.#next();
      this.#steps += 1;
      this.#now += 1;
      this.#jump();
      step.perform();
      if (this.#steps > limit) throw new Error(`no end after ${limit} steps`);
    }
  }

  /** Mostly anybody; but some processes are asleep for a while, so that others come far before they go on. */
  #next(): Step {
    if (this.random.chance(this.#wakeChance)) this.#asleep.clear();
    for (const { process } of this.#waiting) {
      if (this.random.chance(this.#sleepChance)) this.#asleep.add(process);
    }
    const awake = this.#waiting.filter(({ process }) => !this.#asleep.has(process));
    const step = this.random.pick(awake.length > 0 ? awake : this.#waiting);
    this.#waiting.splice(this.#waiting.indexOf(step), 1);
    return step;
  }

  /**
   * A process may sleep for as long as it likes, but no single write of a blob's record is under way for hours: that is
   * what the registry trusts clocks for (`registry/service/data-age.ts`).
   */
  #jump(): void {
    if (!this.random.chance(this.jumpChance)) return;
    if (this.#waiting.some(({ label }) => label.startsWith('put blobs/'))) return;
    this.#now += this.random.pick(JUMPS);
    this.trace?.push(`${this.#steps} it is ${new Date(this.#now).toISOString()}`);
  }
}
