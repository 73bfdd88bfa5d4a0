// SPDX-License-Identifier: Apache-2.0
import { appendFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Claims } from '../state/claims.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';

export type EventAction =
  | 'create'
  | 'start'
  | 'restart'
  | 'die'
  | 'oom'
  | 'kill'
  | 'stop'
  | 'rename'
  | 'health_status'
  | 'destroy';

export interface LifeEvent {
  /** RFC 3339, UTC. */
  time: string;
  action: EventAction;
  id: string;
  name: string;
  attributes: Readonly<Record<string, string>>;
}

export const EVENTS = 'events.jsonl';
export const OLD_EVENTS = 'events.old.jsonl';

/** There are at most two files of this size. */
const SIZE_MAX = 1024 ** 2;

/**
 * Adds an event to the log that all instances share: one line by one write, which the kernel appends whole. What cannot
 * be written is left out: no command fails because of it.
 */
export async function recordEvent(
  instances: string,
  folder: InstanceFolder,
  action: EventAction,
  attributes: LifeEvent['attributes'] = {},
  name?: string,
): Promise<void> {
  const shown = name ?? (await folder.name());
  const event: LifeEvent = { time: new Date().toISOString(), action, id: folder.id, name: shown, attributes };
  const path = join(instances, EVENTS);
  try {
    // A line that was cut by a full disk ends here, too.
    await appendFile(path, `\n${JSON.stringify(event)}\n`, { mode: 0o600 });
    if ((await stat(path)).size > SIZE_MAX) await rotate(instances, path);
  } catch {
    // See above.
  }
}

/** One process renames; another one that finds the file large a moment later finds the claim taken, or a small file. */
async function rotate(instances: string, path: string): Promise<void> {
  const claims = new Claims(join(instances, '.events-lock'));
  const claim = await claims.take('change');
  if (claim === undefined) return;
  try {
    if ((await stat(path)).size > SIZE_MAX) await rename(path, join(instances, OLD_EVENTS));
  } finally {
    await claims.release(claim);
  }
}
