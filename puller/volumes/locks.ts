// SPDX-License-Identifier: Apache-2.0
// Who has locked a file, as the kernel tells it in /proc/locks (proc_locks(5)).

/**
 * How a volume is used now. A monitor locks its disks as QEMU does: single bytes from 100 on, one for each permission
 * that it has.
 */
export type VolumeUse = 'unused' | 'read' | 'written';

/** QEMU's byte for the permission to write: RAW_LOCK_PERM_BASE + 1 (block/file-posix.c). */
const WRITE_BYTE = 101;

const LINE =
  /^\d+: (?<type>OFDLCK|POSIX|FLOCK) +\S+ +(?<mode>READ|WRITE) +-?\d+ (?<file>[0-9a-f]+:[0-9a-f]+:\d+) (?<from>\d+) (?<to>\d+|EOF)$/;

/**
 * @param locks contents of /proc/locks. Lines of those who still wait for a lock (`->`) do not count.
 * @param file as {@link lockedFile} gives it
 */
export function useOf(locks: string, file: string): VolumeUse {
  let use: VolumeUse = 'unused';
  for (const line of locks.split('\n')) {
    const lock = LINE.exec(line)?.groups;
    if (lock?.file !== file) continue;
    // Locks of whole files are not QEMU's: the mode alone says what such a lock is for.
    if (lock.type === 'FLOCK' ? lock.mode === 'WRITE' : covers(lock, WRITE_BYTE)) return 'written';
    use = 'read';
  }
  return use;
}

/**
 * The name that /proc/locks has for an open file. It is not made of what `stat` says: there btrfs and overlayfs have
 * device numbers of their own.
 *
 * @param fdinfo contents of /proc/self/fdinfo/N
 * @param mountinfo contents of /proc/self/mountinfo
 * @param inode for a kernel before 5.14, whose `fdinfo` does not have it
 * @returns undefined where the mount is not listed
 */
export function lockedFile(fdinfo: string, mountinfo: string, inode: string): string | undefined {
  const mount = /^mnt_id:\s*(\d+)$/m.exec(fdinfo)?.[1];
  const ino = /^ino:\s*(\d+)$/m.exec(fdinfo)?.[1] ?? inode;
  for (const line of mountinfo.split('\n')) {
    const [id, , device] = line.split(' ');
    if (id !== mount || device === undefined) continue;
    const [major = '', minor = ''] = device.split(':').map((number) => Number(number).toString(16).padStart(2, '0'));
    return `${major}:${minor}:${ino}`;
  }
  return undefined;
}

function covers({ from, to }: Record<string, string>, byte: number): boolean {
  return Number(from) <= byte && (to === 'EOF' || byte <= Number(to));
}
