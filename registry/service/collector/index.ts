// SPDX-License-Identifier: Apache-2.0
import type { ObjectStore } from '../../storage/contract.ts';
import { type Surroundings, SYSTEM } from '../surroundings.ts';
import { UploadSessions } from '../upload-sessions.ts';
import { collectEntries, collectTombstones } from './entries.ts';
import { Lease, STAGES, type Stage } from './lease.ts';
import { collectLeftData } from './left-data.ts';
import { collectLinks } from './links.ts';
import { type CollectionReport, type Counts, Tally } from './report.ts';
import { type CollectionPolicy, Round } from './round.ts';
import { collectBlobs } from './unlinked-blobs.ts';
import { repositories } from './walk.ts';

export type { CollectionReport, Counts, Problem } from './report.ts';

const HOUR_MS = 60 * 60 * 1000;
/** How often a collection writes down how far it came. */
const SAVED_EVERY_MS = 5_000;

export interface CollectorOptions {
  /**
   * How long a blob that no manifest of its repository names is left alone after it was pushed or mounted there,
   * milliseconds. Default 24 hours: longer than a client takes between its first blob and its manifest.
   */
  graceMs?: number;
  /**
   * How long it then stays condemned before it goes, milliseconds. Default an hour: a client that was told the blob is
   * there pushes its manifest meanwhile, which revives it. So one collection condemns, and a later one deletes; with 0
   * one does both. Nothing that was acknowledged rests on either time.
   */
  settleMs?: number;
  /** How long an unfinished upload may rest before it is given up, milliseconds. Default a week. */
  uploadIdleMs?: number;
  /** How many moves of a tag are remembered. Default 100. */
  historyKept?: number;
}

export interface CollectionOptions {
  /** Changes nothing; the report says what would have been done. Default false. */
  dryRun?: boolean;
  /** Begin even where another collection seems to be at work. Default false. */
  takeOver?: boolean;
  /** Ends the collection; the next one goes on where it was. */
  signal?: AbortSignal;
  /** Called every few hundred steps. */
  onProgress?: (progress: Progress) => void;
}

export interface Progress {
  stage: Stage;
  /** The last repository, or key, that is done. */
  after: string | undefined;
  counts: Readonly<Counts>;
}

export interface Collector {
  /**
   * Frees what nothing needs any more, beside any number of servers on the same store. One that is interrupted (by its
   * signal, a store that fails, or the death of its process) is gone on with by the next.
   *
   * @throws RegistryError `STORAGE_UNAVAILABLE`, `STORAGE_FULL`; the signal's reason
   */
  run(options?: CollectionOptions): Promise<CollectionReport>;
}

export function createCollector(
  store: ObjectStore,
  options: CollectorOptions = {},
  surroundings: Surroundings = SYSTEM,
): Collector {
  const policy = {
    graceMs: options.graceMs ?? 24 * HOUR_MS,
    settleMs: options.settleMs ?? HOUR_MS,
    uploadIdleMs: options.uploadIdleMs ?? 7 * 24 * HOUR_MS,
    historyKept: options.historyKept ?? 100,
  };
  return {
    async run({ dryRun = false, takeOver = false, signal, onProgress } = {}) {
      const lease = dryRun ? undefined : await Lease.take(store, surroundings, takeOver);
      if (lease === undefined && !dryRun) {
        return { outcome: 'busy', dryRun, resumed: false, counts: new Tally().counts, problems: [] };
      }
      const place = lease?.place ?? { stage: STAGES[0], after: undefined, counts: {} };
      const tally = new Tally(place.counts);
      const resumed = place.stage !== STAGES[0] || place.after !== undefined;
      const report = (outcome: CollectionReport['outcome']): CollectionReport => {
        return { outcome, dryRun, resumed, counts: { ...tally.counts }, problems: tally.problems };
      };
      const watch = { tally, gone: new Set<string>(), lease, signal, onProgress };
      try {
        for (let at = STAGES.indexOf(place.stage); at < STAGES.length; at += 1) {
          // In bounds by the loop's condition.
          const stage = STAGES[at] as Stage;
          const from = stage === place.stage ? place.after : undefined;
          await runStage(store, surroundings, { ...policy, dryRun }, stage, from, watch);
        }
      } catch (error) {
        if (error instanceof Superseded) return report('superseded');
        // A store that failed just now may not take this either.
        await lease?.letGo().catch(() => undefined);
        throw error;
      }
      await lease?.finish();
      return report('finished');
    },
  };
}

class Superseded extends Error {}

interface Watch {
  tally: Tally;
  /** @see Round */
  gone: Set<string>;
  lease: Lease | undefined;
  signal: AbortSignal | undefined;
  onProgress: CollectionOptions['onProgress'];
}

async function runStage(
  store: ObjectStore,
  surroundings: Surroundings,
  policy: CollectionPolicy,
  stage: Stage,
  from: string | undefined,
  { tally, gone, lease, signal, onProgress }: Watch,
): Promise<void> {
  let after = from;
  let due = true;
  const breathe = async (done?: string) => {
    after = done ?? after;
    signal?.throwIfAborted();
    onProgress?.({ stage, after, counts: tally.counts });
    if (lease === undefined || (!due && lease.age < SAVED_EVERY_MS)) return;
    due = false;
    if (!(await lease.save(stage, after, tally.counts))) throw new Superseded();
  };
  await breathe();
  const round = new Round(store, surroundings, policy, tally, gone, breathe);
  switch (stage) {
    case 'uploads': {
      const sessions = new UploadSessions(store, surroundings);
      tally.add('uploadsExpired', await sessions.expire(policy.uploadIdleMs, policy.dryRun));
      break;
    }
    case 'repositories':
      for await (const repository of repositories(store, from)) {
        await collectRepository(round, repository);
        await breathe(repository);
      }
      break;
    case 'blobs':
      await collectBlobs(round, from);
      break;
    case 'data':
      await collectLeftData(round);
      break;
  }
}

/** A damaged manifest may name any blob: nothing of its repository goes before it is repaired. */
async function collectRepository(round: Round, repository: string): Promise<void> {
  round.tally.add('repositories');
  const tombstones = await round.sparing(repository, () => collectLinks(round, repository));
  if (tombstones === undefined) return;
  await collectEntries(round, repository);
  await round.sparing(repository, () => collectTombstones(round, repository, tombstones));
}
