// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PullerError } from '../errors.ts';
import { findProgram } from '../vmm/qemu/binary.ts';

const TOOL = 'mke2fs';

/** Names another program, as `UK_QEMU` does for the monitor. */
const OVERRIDE = 'UK_MKE2FS';

/** Debian keeps the tool where only root's PATH leads. */
const PLACES = [TOOL, `/usr/sbin/${TOOL}`, `/sbin/${TOOL}`];

/**
 * No space is kept back for root (`-m 0`): the disk holds data only. The rest says what a guest relies on, above all the
 * journal: without it a guest that is killed could leave a file system that does not mount.
 */
const OPTIONS = ['-q', '-F', '-t', 'ext4', '-m', '0', '-b', '4096', '-I', '256', '-O', 'has_journal'];

/**
 * The file is new, so it reads as zeros, and nobody has to write zeros to it. Without this the guest's kernel writes
 * the whole inode table soon after the first mount: 160 MB of a disk of 10 GB.
 */
const PREZEROED = 'root_owner=0:0,assume_storage_prezeroed=1';

/** For an mke2fs older than 1.47. */
const LAZY = 'root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1';

/** The program that makes the file system; undefined where it is not installed. */
export function fileSystemTool(): string | undefined {
  const wanted = process.env[OVERRIDE];
  return (wanted ? [wanted] : PLACES).map(findProgram).find((path) => path !== undefined);
}

/**
 * Makes a sparse file with an empty ext4 file system, and writes it through to the disk. No privileges are needed.
 *
 * @param file must not exist
 * @param size in bytes
 * @throws PullerError `TOOL_MISSING`, `STORE_IO`; errors of the system
 */
export async function makeFileSystem(file: string, size: number, signal?: AbortSignal): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await formatDisk(handle, file, size, signal);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes an empty file a sparse disk with the file system.
 *
 * @param path under which another process can open the file
 * @throws as {@link makeFileSystem}
 */
export async function formatDisk(handle: FileHandle, path: string, size: number, signal?: AbortSignal): Promise<void> {
  const tool = fileSystemTool();
  if (tool === undefined) {
    throw new PullerError('TOOL_MISSING', `${TOOL} is not on this machine; it makes the file system of a volume`, {
      hint: 'apt-get install e2fsprogs',
    });
  }
  await handle.truncate(size);
  await run(tool, path, signal);
}

async function run(tool: string, file: string, signal?: AbortSignal): Promise<void> {
  // A file that does not exist: the tool's own defaults count then, and not this host's /etc/mke2fs.conf.
  const env = { ...process.env, LC_ALL: 'C', MKE2FS_CONFIG: `${file}.conf` };
  const options = signal === undefined ? { env } : { env, signal };
  const attempt = (extended: string) => promisify(execFile)(tool, [...OPTIONS, '-E', extended, file], options);
  try {
    await attempt(PREZEROED).catch((error: unknown) => {
      if (!saysOf(error).includes('Bad option')) throw error;
      return attempt(LAZY);
    });
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause;
    const [first = ''] = saysOf(cause).trim().split('\n');
    throw new PullerError('STORE_IO', `${TOOL} cannot make a file system: ${first || (cause as Error).message}`, {
      cause,
    });
  }
}

function saysOf(error: unknown): string {
  return String((error as { stderr?: unknown }).stderr ?? '');
}
