// SPDX-License-Identifier: Apache-2.0
// Archives out of guests and into them, by their agents.
import { PassThrough, Readable, Writable } from 'node:stream';
import { PullerError } from '../../errors.ts';
import { exitStatus } from '../../guest-contract/control-channel.ts';
import type { Records } from '../../guest-contract/frames.ts';
import { silent } from '../agent/failures.ts';
import type { ClientSession } from '../agent/session.ts';
import { askAgent } from '../agent/verbs.ts';
import type { InstanceFolder } from '../state/instance-folder.ts';

/** So much of a guest's complaints is shown. */
const COMPLAINTS_MAX = 2_000;

/** So long a guest may take for a report. */
const REPORT_LIMIT_MS = 15_000;

export interface PathKinds {
  /** What is there: a link is one. */
  own: 'missing' | 'file' | 'directory' | 'link' | 'other';
  /** What is there when links are followed. */
  leadsTo: 'missing' | 'file' | 'directory' | 'other';
}

/**
 * What a path of a guest is.
 *
 * @throws PullerError `GUEST_PROTOCOL`, and what {@link askAgent} throws
 */
export async function guestPath(folder: InstanceFolder, path: string): Promise<PathKinds> {
  const stdout = new Kept(1_000);
  const session = await askAgent(
    folder,
    [
      ['kind', 'path'],
      ['arg', path],
    ],
    { stdout, stderr: new Kept(0) },
  );
  await inTime(session);
  const [, own, leadsTo] = /^own (\w+)\nleads-to (\w+)\n$/.exec(stdout.text) ?? [];
  const kinds = ['missing', 'file', 'directory', 'link', 'other'];
  if (own === undefined || leadsTo === undefined || !kinds.includes(own) || !kinds.includes(leadsTo)) {
    throw new PullerError('GUEST_PROTOCOL', 'the guest does not say what is at that path');
  }
  return { own, leadsTo } as PathKinds;
}

/**
 * A file or folder of a guest as a tar archive, whose names begin with the last part of the path.
 *
 * @param followLink whether a link is replaced by what it leads to
 * @returns the archive; it ends with an error where the guest could not read all of it
 */
export async function archiveOfGuest(folder: InstanceFolder, path: string, followLink = false): Promise<Readable> {
  const stdout = new PassThrough();
  const stderr = new Kept(COMPLAINTS_MAX);
  const records: [string, string][] = [
    ['kind', 'pack'],
    ['arg', path],
  ];
  if (followLink) records.push(['follow', '1']);
  const session = await askAgent(folder, records, { stdout, stderr });
  checked(session, stderr).then(
    () => stdout.end(),
    (error) => stdout.destroy(error),
  );
  return stdout;
}

/**
 * Unpacks a tar archive in a guest.
 *
 * @param target a directory of the guest
 * @throws PullerError `COPY_FAILED` with what the guest says
 */
export async function unpackInGuest(
  folder: InstanceFolder,
  target: string,
  archive: AsyncIterable<Uint8Array>,
): Promise<void> {
  const stderr = new Kept(COMPLAINTS_MAX);
  const records: Records = [
    ['kind', 'unpack'],
    ['arg', target],
    ['stdin', '1'],
  ];
  const stdin = Readable.from(archive, { objectMode: false });
  const failed = new Promise<never>((_, reject) => stdin.once('error', reject));
  const session = await askAgent(folder, records, { stdin, stdout: new Kept(0), stderr });
  try {
    await Promise.race([checked(session, stderr), failed]);
  } finally {
    session.leave();
    stdin.destroy();
  }
}

/**
 * What the agent reports as text.
 *
 * @param limit bytes; a guest that sends more is refused
 */
export async function reportOfGuest(
  folder: InstanceFolder,
  kind: 'stats' | 'processes',
  limit: number,
): Promise<string> {
  const stdout = new Kept(limit + 1);
  const session = await askAgent(folder, [['kind', kind]], { stdout, stderr: new Kept(0) });
  await inTime(session);
  if (stdout.size > limit) throw new PullerError('GUEST_PROTOCOL', `the guest reports more than ${limit} bytes`);
  return stdout.text;
}

/** A report is there at once, or the guest is asked in vain. */
async function inTime(session: ClientSession): Promise<void> {
  const late = setTimeout(() => session.leave(), REPORT_LIMIT_MS);
  const how = await session.ended.finally(() => clearTimeout(late));
  if (how.kind !== 'ended') throw silent(`it does not come to an end within ${REPORT_LIMIT_MS / 1_000} s`);
}

async function checked(session: ClientSession, stderr: Kept): Promise<void> {
  const how = await session.ended;
  if (how.kind === 'ended' && exitStatus(how.end) === 0) return;
  const said = stderr.text.trim().replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, '; ');
  throw new PullerError('COPY_FAILED', `the guest says: ${said === '' ? 'that failed' : said}`);
}

/** Keeps the beginning of what is written. */
class Kept extends Writable {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  size = 0;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const rest = this.#limit - this.size;
    if (rest > 0) this.#chunks.push(Buffer.from(chunk.subarray(0, rest)));
    this.size += Math.min(chunk.length, Math.max(rest, 0));
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
