// SPDX-License-Identifier: Apache-2.0
// Folders of this machine by virtiofs: a daemon for each, which shares the guest's memory.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runtimeDirectory } from '../../../hardware-profiles/base-directories.ts';
import { PullerError } from '../../errors.ts';
import type { Share } from '../monitor.ts';
import { findProgram } from './binary.ts';
import { parentDeathSignal } from './parent-death.ts';

/** Names another program, as `UK_QEMU` does for the monitor; `none`: folders are shared by 9p. */
const OVERRIDE = 'UK_VIRTIOFSD';

/** Where Debian has the one of QEMU 7.2, and that of its own package. */
const PLACES = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'];

const PREFIX = 'uk-virtiofs-';
const START_LIMIT_MS = 5_000;
const LOOK_MS = 2;

/**
 * The daemon, where folders can be shared by it. It changes users and makes namespaces, which takes root.
 *
 * @returns its path
 */
export function findVirtiofsd(env: NodeJS.ProcessEnv = process.env, user = process.getuid?.()): string | undefined {
  const wanted = env[OVERRIDE];
  if (user !== 0 || wanted === 'none') return undefined;
  return (wanted ? [wanted] : PLACES).map(findProgram).find((path) => path !== undefined);
}

export interface SharedFolders {
  /** Path of the socket for each tag, which the monitor connects to. */
  sockets: ReadonlyMap<string, string>;
  /** Why a daemon has ended before `close`; never where none does. A guest that waits for it would hang. */
  failed: Promise<string>;
  /** Ends what still runs, and leaves nothing. */
  close(): Promise<void>;
}

/**
 * Starts the daemons of all folders that are shared by virtiofs. Each ends when the monitor leaves it, or this process
 * does.
 *
 * @throws PullerError `MONITOR_MISSING`, `MONITOR_FAILED`
 */
export async function serveFolders(shares: readonly Share[]): Promise<SharedFolders> {
  const wanted = shares.filter(({ kind }) => kind === 'virtiofs');
  if (wanted.length === 0) return { sockets: new Map(), failed: new Promise(() => {}), close: async () => {} };
  const program = findVirtiofsd();
  if (program === undefined) throw new PullerError('MONITOR_MISSING', 'virtiofsd is not on this machine');
  const place = runtimeDirectory() ?? tmpdir();
  await sweep(place);
  // Only this user may enter it.
  const folder = await mkdtemp(join(place, `${PREFIX}${process.pid}-`));
  const daemons: ChildProcess[] = [];
  const failed = Promise.withResolvers<string>();
  const close = async (): Promise<void> => {
    for (const daemon of daemons) daemon.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const sockets = new Map<string, string>();
    for (const share of wanted) {
      const socket = join(folder, share.tag);
      const daemon = startDaemon(program, await sourceOf(share, `${socket}-folder`), socket);
      daemons.push(daemon);
      const ended = endOf(daemon);
      await listening(ended, socket, share);
      ended.then((why) => failed.resolve(`virtiofsd has ended: ${why}`));
      sockets.set(share.tag, socket);
    }
    return { sockets, failed: failed.promise, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Removes folders of processes that were killed. One of another user stays. */
async function sweep(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (Number.isNaN(pid) || existsSync(`/proc/${pid}`)) continue;
    await rm(join(place, name), { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * A path of the folder without a comma: the older daemon splits its options there. It refuses links, but not what is
 * behind one.
 */
async function sourceOf({ folder }: Share, link: string): Promise<string> {
  if (!folder.includes(',')) return folder;
  await symlink(folder, link);
  return `${link}/.`;
}

function startDaemon(program: string, source: string, socket: string): ChildProcess {
  // The two daemons take the same options.
  const options = ['-o', `source=${source}`, '-o', 'cache=auto', '-o', 'xattr', '-o', 'posix_lock', '-o', 'flock'];
  const [command = '', ...args] = [...parentDeathSignal(), program, `--socket-path=${socket}`, ...options, '-f'];
  return spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
}

/** The last thing that a daemon said, once it has ended. */
function endOf(daemon: ChildProcess): Promise<string> {
  let said = '';
  daemon.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4096);
  });
  const lastWords = (): string => said.trim().split('\n').at(-1) ?? '';
  return once(daemon, 'close').then(lastWords, (error: Error) => error.message);
}

/** Until the daemon's socket is there. */
async function listening(ended: Promise<string>, socket: string, { folder }: Share): Promise<void> {
  const limit = performance.now() + START_LIMIT_MS;
  while (!existsSync(socket)) {
    const why = await Promise.race([ended, delay(LOOK_MS, undefined)]);
    if (why === undefined && performance.now() < limit) continue;
    throw new PullerError('MONITOR_FAILED', `virtiofsd cannot share ${folder}: ${why || 'it does not answer'}`, {
      hint: 'UK_VIRTIOFSD=none shares folders by 9p',
    });
  }
}
