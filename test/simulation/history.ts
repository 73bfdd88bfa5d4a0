// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';

/** What a client asked for. `tag` of a push: which it sets; a push by digest sets none. */
export type Deed =
  | { kind: 'push'; repository: string; digest: Digest; tags: readonly string[]; version?: number | undefined }
  | { kind: 'delete manifest'; repository: string; digest: Digest }
  | { kind: 'untag'; repository: string; tag: string }
  | { kind: 'bring'; repository: string; digest: Digest }
  | { kind: 'delete blob'; repository: string; digest: Digest }
  | { kind: 'read tag'; repository: string; tag: string; found: Digest | undefined }
  | { kind: 'read manifest'; repository: string; digest: Digest; found: boolean };

/** A request, from when it was sent to when it was over, in steps of the scheduler. */
export type Event = Deed & {
  from: number;
  /** Infinity while it is under way. */
  to: number;
  /** Only what was acknowledged must have happened; the rest may have, between `from` and `to`. */
  acknowledged: boolean;
};

type Of<K extends Deed['kind']> = Extract<Event, { kind: K }>;

/** All that clients asked for and were told, and whether it fits together. */
export class History {
  readonly #events: Event[] = [];

  begin(deed: Deed, at: number): Event {
    const event: Event = { ...deed, from: at, to: Number.POSITIVE_INFINITY, acknowledged: false };
    this.#events.push(event);
    return event;
  }

  pushed(): Of<'push'>[] {
    return this.#of('push').filter(({ acknowledged }) => acknowledged);
  }

  /** Pushes that were acknowledged, and whose manifest nobody has wanted to delete since they began. */
  standing(): Of<'push'>[] {
    return this.pushed().filter(
      (push) =>
        !this.#of('delete manifest').some(
          (deletion) =>
            deletion.repository === push.repository && deletion.digest === push.digest && deletion.to > push.from,
        ),
    );
  }

  /** Blobs that were pushed or mounted, or said to be there. */
  brought(): Of<'bring'>[] {
    return this.#of('bring').filter(({ acknowledged }) => acknowledged);
  }

  /** Whether somebody took the blob or manifest from the repository with his own hands, at or after `since`. */
  takenAway(repository: string, digest: Digest, since: number): boolean {
    return [...this.#of('delete blob'), ...this.#of('delete manifest')].some(
      (deletion) => deletion.repository === repository && deletion.digest === digest && deletion.to > since,
    );
  }

  /** What readers saw that no order of events explains: every answer must be the last word of somebody. */
  contradictions(): string[] {
    return [
      ...this.#of('read tag').filter((read) => read.acknowledged && !this.#explainsTag(read)),
      ...this.#of('read manifest').filter((read) => read.acknowledged && !this.#explainsManifest(read)),
    ].map((read) => `nothing explains ${JSON.stringify(read)}`);
  }

  #of<K extends Deed['kind']>(kind: K): Of<K>[] {
    return this.#events.filter((event): event is Of<K> => event.kind === kind);
  }

  #explainsTag(read: Of<'read tag'>): boolean {
    const pushes = this.#of('push').filter(
      (push) => push.repository === read.repository && push.tags.includes(read.tag),
    );
    const deletions = this.#of('delete manifest').filter((deletion) => deletion.repository === read.repository);
    const same = (event: { repository: string; tag: string }) =>
      event.repository === read.repository && event.tag === read.tag;
    // Who found nothing there has seen as much as who untagged it.
    const absences = this.#of('read tag').filter((other) => other !== read && other.found === undefined && same(other));
    const untags = [...this.#of('untag').filter(same), ...(read.found === undefined ? [] : absences)];
    if (read.found !== undefined) {
      const others = [
        ...untags,
        ...deletions.filter(({ digest }) => digest === read.found),
        ...pushes.filter(({ digest }) => digest !== read.found),
      ];
      return pushes.some((push) => push.digest === read.found && isLastWord(push, others, read));
    }
    const erasers = deletions.filter(({ digest, to }) =>
      pushes.some((push) => push.digest === digest && push.from < to),
    );
    return [BEGINNING, ...untags, ...erasers].some((event) => isLastWord(event, pushes, read));
  }

  #explainsManifest(read: Of<'read manifest'>): boolean {
    const same = (event: { repository: string; digest: Digest }) =>
      event.repository === read.repository && event.digest === read.digest;
    const pushes = this.#of('push').filter(same);
    const deletions = this.#of('delete manifest').filter(same);
    return read.found
      ? pushes.some((push) => isLastWord(push, deletions, read))
      : [BEGINNING, ...deletions].some((event) => isLastWord(event, pushes, read));
  }
}

const BEGINNING = { from: -1, to: -1 };

/** Whether a reader may still find what `event` wrote: it had begun, and none of the others came wholly in between. */
function isLastWord(
  event: { from: number; to: number },
  others: readonly Event[],
  read: { from: number; to: number },
): boolean {
  const between = (other: Event) => other.acknowledged && other.from > event.to && other.to < read.from;
  return event.from < read.to && !others.some(between);
}
