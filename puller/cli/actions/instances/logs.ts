// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import {
  encodeRecord,
  findInstance,
  isActive,
  type LogRecord,
  readEvents,
  readLog,
  viewOf,
} from '../../../instances/lifecycle/index.ts';
import type { Session } from '../../context.ts';

export interface LogFlags {
  follow?: boolean;
  since?: number;
  until?: number;
  tail?: number | 'all';
  timestamps?: boolean;
  kernel?: boolean;
  json?: boolean;
}

const NEWLINE = 0x0a;

export async function logs(session: Session, wanted: string, flags: LogFlags): Promise<undefined> {
  const folder = await findInstance(await session.instancesFolder(), wanted);
  const { signal } = session;
  const records = readLog(folder.file('logs'), flags.kernel ? 'kernel' : 'program', {
    since: flags.since,
    until: flags.until,
    tail: flags.tail === 'all' ? undefined : flags.tail,
    // An instance that is removed meanwhile has ended, too.
    goesOn: flags.follow ? () => viewOf(folder).then(isActive, () => false) : undefined,
    signal,
  });
  const show = flags.json ? printer((record) => Buffer.from(encodeRecord(record))) : printer(plain(flags));
  for await (const record of records) if (!(await show(record))) return undefined;
  signal.throwIfAborted();
  return undefined;
}

export interface EventFlags {
  since?: number;
  until?: number;
  json?: boolean;
}

export async function events(session: Session, flags: EventFlags): Promise<undefined> {
  const { signal } = session;
  for await (const event of readEvents(await session.instancesFolder(), { ...flags, signal })) {
    const { time, action, id, name, attributes } = event;
    const facts = Object.entries({ name, ...attributes }).map(([key, value]) => `${key}=${value}`);
    const line = flags.json ? JSON.stringify(event) : `${time} instance ${action} ${id} (${facts.join(', ')})`;
    if (!(await put(process.stdout, Buffer.from(`${line}\n`)))) return undefined;
  }
  return undefined;
}

/** Program's streams go where they went in the foreground; remarks of uk's own to standard error. */
function printer(render: (record: LogRecord) => Buffer): (record: LogRecord) => Promise<boolean> {
  return (record) =>
    put(record.stream === 'stderr' || record.stream === 'uk' ? process.stderr : process.stdout, render(record));
}

/** A time stands before each line, not before each part of one. */
function plain({ timestamps }: LogFlags): (record: LogRecord) => Buffer {
  const open = new Set<string>();
  return ({ time, stream, bytes }) => {
    const begins = !open.has(stream);
    if (bytes.at(-1) === NEWLINE) open.delete(stream);
    else open.add(stream);
    return timestamps && begins ? Buffer.concat([Buffer.from(`${time} `), bytes]) : bytes;
  };
}

/** @returns whether somebody still reads */
async function put(stream: Writable, bytes: Buffer): Promise<boolean> {
  if (stream.destroyed) return false;
  if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
  return !stream.destroyed;
}
