// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { cacheFolder } from '../store/folders.ts';
import { fileSystemTool } from '../volumes/file-system.ts';
import { choiceOf } from './accelerator/choose.ts';
import { hostKey, hostProcessor, kvmDeviceProblem } from './accelerator/host.ts';
import { readVerdict } from './accelerator/verdict.ts';
import { findProgram, INSTALL_HINT, isNewEnough, QEMU_MINIMUM, qemuBinary, qemuVersion } from './qemu/binary.ts';

/** One line of `uk doctor`. */
export interface HostFinding {
  name: string;
  /** Whether images can be run as far as this goes. */
  ok: boolean;
  /** What was found. */
  detail: string;
  /** What to do about it. */
  hint?: string;
}

const SPACE_WANTED = 512 * 1024 ** 2;
const MEMORY_WANTED = 256 * 1024 ** 2;

/** Says what this machine has of what running images needs. Runs no guest, and throws nothing. */
export async function checkHost(): Promise<HostFinding[]> {
  return Promise.all([
    checkQemu(),
    checkAccelerator(),
    checkSetpriv(),
    checkFileSystemTool(),
    checkSpace(),
    checkMemory(),
  ]);
}

async function checkQemu(): Promise<HostFinding> {
  const name = 'QEMU';
  try {
    const file = qemuBinary();
    const version = await qemuVersion(file);
    const detail = `${version.text} (${file})`;
    if (isNewEnough(version)) return { name, ok: true, detail };
    const { major, minor } = QEMU_MINIMUM;
    return { name, ok: false, detail: `${detail} is too old`, hint: `${major}.${minor} or newer: ${INSTALL_HINT}` };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message, hint: INSTALL_HINT };
  }
}

/** Without KVM guests are emulated: slower, but they run. So this is never a reason to say no. */
async function checkAccelerator(): Promise<HostFinding> {
  const name = 'accelerator';
  const device = kvmDeviceProblem();
  const hint = 'guests are emulated (TCG): all works, but slower';
  try {
    const processor = hostProcessor();
    const choice = choiceOf(readVerdict(hostKey(qemuBinary(), processor)), device, processor.steadyTsc);
    if (choice === undefined) {
      const detail = device === undefined ? '/dev/kvm is there; the first uk run will try it' : `TCG: ${device}`;
      return { name, ok: true, detail };
    }
    const { accelerator } = choice;
    if (accelerator.kind === 'kvm') return { name, ok: true, detail: `KVM: ${choice.detail}` };
    const frequency = accelerator.tscKhz === undefined ? '' : `, time stamp counter ${accelerator.tscKhz} kHz`;
    return { name, ok: true, detail: `TCG: ${choice.detail}${frequency}`, hint };
  } catch {
    return { name, ok: true, detail: device === undefined ? '/dev/kvm is there' : `TCG: ${device}` };
  }
}

async function checkSetpriv(): Promise<HostFinding> {
  const found = findProgram('setpriv');
  return {
    name: 'setpriv',
    ok: true,
    detail: found ?? 'missing: should uk be killed with SIGKILL, a guest that hangs may stay',
    ...(found === undefined ? { hint: 'apt-get install util-linux' } : {}),
  };
}

async function checkFileSystemTool(): Promise<HostFinding> {
  const found = fileSystemTool();
  return {
    name: 'mke2fs',
    ok: true,
    detail: found ?? 'missing: named volumes and uk run --disk need it',
    ...(found === undefined ? { hint: 'apt-get install e2fsprogs' } : {}),
  };
}

/** @param checkWrite throws where this user may not write to a folder */
export async function checkSpace(
  folder = cacheFolder(),
  checkWrite = (path: string): Promise<void> => access(path, constants.W_OK | constants.X_OK),
): Promise<HostFinding> {
  try {
    await mkdir(folder, { recursive: true });
    await checkWrite(folder);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    return {
      name: 'disk',
      ok: free >= SPACE_WANTED,
      detail: `${mebibytes(free)} MiB free in ${folder}`,
      hint: 'free some space, or set XDG_CACHE_HOME',
    };
  } catch (error) {
    return { name: 'disk', ok: false, detail: `${folder}: ${(error as Error).message}`, hint: 'set XDG_CACHE_HOME' };
  }
}

async function checkMemory(): Promise<HostFinding> {
  const free = freemem();
  return { name: 'memory', ok: free >= MEMORY_WANTED, detail: `${mebibytes(free)} MiB free`, hint: 'free some memory' };
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
