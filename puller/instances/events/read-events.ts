// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isMissing } from '../../../image-format/layout/durable.ts';
import { EVENTS, type LifeEvent, OLD_EVENTS } from './event-log.ts';

export interface EventOptions {
  /** Milliseconds since 1970. Default: only what happens from now on. */
  since?: number | undefined;
  /** Ends the list at that time. Default: it goes on. */
  until?: number | undefined;
  signal?: AbortSignal | undefined;
}

const PAUSE_MS = 100;

/** The events of all instances as they come. */
export async function* readEvents(instances: string, options: EventOptions = {}): AsyncGenerator<LifeEvent> {
  const { since = Date.now(), until, signal } = options;
  const wanted = ({ time }: LifeEvent): boolean => {
    const at = Date.parse(time);
    return at >= since && (until === undefined || at <= until);
  };
  for (const event of eventsOf(await readAll(join(instances, OLD_EVENTS)))) if (wanted(event)) yield event;
  const tail = new Tail(join(instances, EVENTS));
  try {
    while (!signal?.aborted) {
      const isOver = until !== undefined && Date.now() >= until;
      for (const event of eventsOf(await tail.read())) if (wanted(event)) yield event;
      if (isOver) return;
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await tail.close();
  }
}

function eventsOf(text: string): LifeEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      const event = JSON.parse(line) as LifeEvent;
      return typeof event.time === 'string' && typeof event.action === 'string' ? [event] : [];
    } catch {
      // Empty, or cut by a full disk.
      return [];
    }
  });
}

async function readAll(path: string): Promise<string> {
  const tail = new Tail(path);
  try {
    return await tail.read();
  } finally {
    await tail.close();
  }
}

/** A file that grows, and is replaced by another one at times. */
class Tail {
  readonly #path: string;
  #file: FileHandle | undefined;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Whole lines that came since the last call. */
  async read(): Promise<string> {
    let text = this.#rest + (await this.#readFile());
    if (await this.#isReplaced()) {
      text += await this.#readFile();
      await this.close();
      text += `\n${await this.#readFile()}`;
    }
    const end = text.lastIndexOf('\n') + 1;
    this.#rest = text.slice(end);
    return text.slice(0, end);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #readFile(): Promise<string> {
    try {
      this.#file ??= await open(this.#path, 'r');
    } catch (error) {
      if (isMissing(error)) return '';
      throw error;
    }
    // Goes on from where the last call ended.
    return (await this.#file.readFile()).toString('utf8');
  }

  async #isReplaced(): Promise<boolean> {
    if (this.#file === undefined) return false;
    const other = await open(this.#path, 'r').catch(() => undefined);
    if (other === undefined) return false;
    try {
      return (await other.stat()).ino !== (await this.#file.stat()).ino;
    } finally {
      await other.close();
    }
  }
}
