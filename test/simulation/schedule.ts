// SPDX-License-Identifier: Apache-2.0
import { type CollectorOptions, createCollector } from '../../registry/service/collector/index.ts';
import { createService } from '../../registry/service/index.ts';
import type { Surroundings } from '../../registry/service/surroundings.ts';
import { PortableHash } from '../../registry/service/upload-hash.ts';
import type { ObjectStore } from '../../registry/storage/contract.ts';
import { Client, type Server } from './client.ts';
import { chooseWorld, MANIFESTS, REPOSITORIES, TAGS, WORLD, type World } from './content.ts';
import { History } from './history.ts';
import { Judge } from './judge.ts';
import { Random } from './random.ts';
import { Died, Scheduler, SimulatedProcess } from './scheduler.ts';
import { SimulatedStore } from './simulated-store.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** A mistake put in on purpose: a store that lies to servers, or to collectors, in a way that undoes one safeguard. */
export interface Mutation {
  server?(store: ObjectStore): ObjectStore;
  collector?(store: ObjectStore): ObjectStore;
}

export interface ScheduleOptions {
  mutation?: Mutation | undefined;
  /** Everybody at the same few things, and collectors that wait for nothing. Default: by chance. */
  crowded?: boolean;
  /** Filled with what happened. */
  trace?: string[] | undefined;
}

/**
 * One schedule: clients, servers and collectors on one store, in an order that the seed decides; processes die, the
 * power fails, hours pass. What must hold is looked at after every change and at the end.
 *
 * @throws whatever did not hold
 */
export async function runSchedule(seed: number, options: ScheduleOptions = {}): Promise<{ steps: number }> {
  await warm;
  const simulation = new Simulation(new Random(seed), options);
  await simulation.run();
  return { steps: simulation.scheduler.steps };
}

/** Compiled outside of the schedules: nothing in them may wait for anything but the store. */
const warm = Promise.all([PortableHash.begin('sha256'), PortableHash.begin('sha512')]);

class Simulation {
  readonly scheduler: Scheduler;
  readonly #random: Random;
  readonly #mutation: Mutation;
  readonly #store: SimulatedStore;
  readonly #history = new History();
  readonly #judge: Judge;
  readonly #servers: Server[];
  readonly #collecting: SimulatedProcess[] = [];
  readonly #killChance: number;
  readonly #failures: unknown[] = [];
  readonly #world: World;
  readonly #crowded: boolean;
  readonly #settleMs: number;
  #killed = 0;
  #resting = false;
  #ids = 0;

  constructor(random: Random, { mutation = {}, trace, crowded = random.chance(0.4) }: ScheduleOptions) {
    this.#random = random;
    this.#crowded = crowded;
    this.#mutation = mutation;
    this.#killChance = random.pick([0, 0, 0.003, 0.02]);
    const jumpChance = random.pick([0, 0.003, 0.03]);
    this.scheduler = new Scheduler(random, { jumpChance, repeatChance: random.pick([0, 0, 0.05]), trace });
    this.#world = chooseWorld(random, crowded);
    this.#settleMs = crowded ? 0 : random.pick([0, 0, HOUR]);
    const lateChance = random.pick([0, 0.3]);
    this.#store = new SimulatedStore(() => this.scheduler.now, {
      rereadsFast: random.chance(0.5),
      syncsLate: () => random.chance(lateChance),
    });
    this.#judge = new Judge(this.#store, this.#history);
    this.#servers = [this.#startServer(), this.#startServer()];
    this.#store.changed = (key) => {
      if (/^(?:blobs|repositories|data)\//.test(key)) this.#noting(() => this.#look());
    };
  }

  async run(): Promise<void> {
    const random = this.#random;
    const work = [
      ...Array.from({ length: (this.#crowded ? 3 : 2) + random.below(2) }, () => this.#client(2 + random.below(4))),
      ...Array.from({ length: this.#crowded ? 2 : random.below(3) }, () => this.#collector(1 + random.below(6))),
    ];
    const all = Promise.all(work.map((one) => one.catch((error) => this.#failures.push(error))));
    await this.#settle(() => this.#trouble());
    await Promise.race([all, unfinished()]);

    if (this.#killed === 0) await this.#attempt(() => this.#judge.tagListsAreTrue(this.#anyServer()));
    await this.#attempt(() => this.#readEverything());
    await this.#attempt(() => this.#judge.referrersAreTrue(this.#anyServer()));
    this.#note(...this.#history.contradictions());
    this.#resting = true;
    await this.#attempt(() => this.#comeToRest());
    this.#noting(() => this.#judge.everythingAcknowledgedIsThere());
    await this.#attempt(() => this.#judge.referrersAreTrue(this.#anyServer()));
    await this.#attempt(() => this.#readEverything());
    this.#note(...this.#history.contradictions());
    await this.#attempt(() => this.#judge.tagListsAreTrue(this.#anyServer()));
    this.#noting(() => this.#judge.nothingIsLeftOver());
    this.#throwFailures();
  }

  #look(): void {
    this.#judge.everythingAcknowledgedIsThere();
    // Where time stands still, nothing has been condemned for long enough to go.
    const settled = this.#settleMs === 0 || this.scheduler.jumpChance > 0 || this.#resting;
    if (!settled) this.#judge.everythingBroughtIsThere();
  }

  async #client(deeds: number): Promise<void> {
    const client = this.#newClient(this.#world);
    for (let deed = 0; deed < deeds; deed += 1) await client.act();
  }

  #newClient(world: World): Client {
    return new Client(this.#random, this.scheduler, this.#history, world, () => this.#servers);
  }

  /** Each run in a process of its own, which may die, and never waits for another one. */
  async #collector(runs: number): Promise<void> {
    for (let run = 0; run < runs; run += 1) {
      const process = new SimulatedProcess(`collector ${++this.#ids}`);
      this.#collecting.push(process);
      const policy = {
        graceMs: this.#crowded ? 0 : this.#random.pick([0, 0, HOUR, DAY]),
        settleMs: this.#settleMs,
        uploadIdleMs: this.#random.pick([0, DAY]),
      };
      const dryRun = this.#random.chance(0.05);
      try {
        await process.request(() => this.#createCollector(process, policy).run({ takeOver: true, dryRun }));
      } catch (error) {
        if (!(error instanceof Died)) throw error;
      } finally {
        this.#collecting.splice(this.#collecting.indexOf(process), 1);
      }
    }
  }

  #createCollector(process: SimulatedProcess, policy: CollectorOptions) {
    const store = this.#storeOf(process);
    const seen = this.#mutation.collector?.(store) ?? store;
    return createCollector(seen, policy, this.#surroundingsOf(process));
  }

  #startServer(): Server {
    const process = new SimulatedProcess(`server ${++this.#ids}`);
    const store = this.#storeOf(process);
    const seen = this.#mutation.server?.(store) ?? store;
    return { process, service: createService(seen, {}, this.#surroundingsOf(process)) };
  }

  #storeOf(process: SimulatedProcess): ObjectStore {
    return this.#store.through((label, effect) => this.scheduler.callStore(process, label, effect));
  }

  #surroundingsOf(process: SimulatedProcess): Surroundings {
    const prefix = process.name.replace(' ', '');
    return {
      now: () => this.scheduler.now,
      uniqueId: () => `${prefix}-${++this.#ids}`,
    };
  }

  #anyServer(): Server {
    return this.#random.pick(this.#servers);
  }

  /** Between two steps. */
  #trouble(): void {
    if (!this.#random.chance(this.#killChance)) return;
    this.#killed += 1;
    if (this.#random.chance(0.2)) {
      for (const { process } of this.#servers) this.scheduler.kill(process);
      for (const process of [...this.#collecting]) this.scheduler.kill(process);
      this.#store.losePower(this.#random);
      for (const at of this.#servers.keys()) this.#servers[at] = this.#startServer();
      this.#noting(() => this.#look());
      return;
    }
    const victim = this.#random.pick([...this.#servers.map(({ process }) => process), ...this.#collecting]);
    this.scheduler.kill(victim);
    const at = this.#servers.findIndex(({ process }) => process === victim);
    if (at >= 0) this.#servers[at] = this.#startServer();
  }

  async #readEverything(): Promise<void> {
    const client = this.#newClient(WORLD);
    for (const repository of REPOSITORIES) {
      for (const tag of TAGS) await client.readTag(repository, tag);
      for (const manifest of MANIFESTS) await client.readManifest(repository, manifest);
    }
  }

  /** A month later, and again: the first may only end what a dead one began, and some traces go a day after the rest. */
  async #comeToRest(): Promise<void> {
    this.scheduler.repeatChance = 0;
    for (let month = 0; month < 3; month += 1) {
      this.scheduler.advance(30 * DAY);
      const process = new SimulatedProcess(`last collector ${month}`);
      const report = await this.#createCollector(process, { settleMs: 0 }).run();
      if (report.outcome !== 'finished') throw new Error(`the last collection was ${report.outcome}`);
      if (report.problems.length > 0) throw new Error(`damage: ${JSON.stringify(report.problems)}`);
    }
  }

  /** Runs something that waits for the store, with nothing else going on. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    const working = work().catch((error) => this.#failures.push(error));
    await this.#settle();
    await Promise.race([working, unfinished()]);
    this.#throwFailures();
  }

  async #settle(between?: () => void): Promise<void> {
    await this.scheduler.run(() => {
      this.#throwFailures();
      between?.();
    });
    this.#throwFailures();
  }

  #noting(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#failures.push(error);
    }
  }

  #note(...contradictions: string[]): void {
    this.#failures.push(...contradictions.map((text) => new Error(text)));
    this.#throwFailures();
  }

  #throwFailures(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}

/** When nothing waits for the store any more, everybody must have come to his end. */
async function unfinished(): Promise<never> {
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error('somebody waits for something that never comes');
}
