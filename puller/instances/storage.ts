// SPDX-License-Identifier: Apache-2.0
import type { Bootable, FileSystem } from '../assemble/bootable.ts';
import { PullerError } from '../errors.ts';
import type { Start, StartMount } from '../guest-contract/start.ts';
import type { Disk, Monitor, Share } from '../vmm/monitor.ts';

/** A file system beside the root, at an absolute path of the guest. */
export type InstanceMount =
  /** A folder of this machine. */
  | { kind: 'folder'; folder: string; path: string; readOnly: boolean }
  /**
   * A raw image with ext4. `populate`: an empty one gets what the image has at that path. `replay`: its journal is to be
   * replayed as it is mounted, so the guest must be able to write even where it is read-only.
   */
  | { kind: 'disk'; file: string; path: string; readOnly: boolean; populate: boolean; replay?: boolean }
  /** Memory of the guest. Options as of the guest's mount: `ro`, `noexec`, `size=64m`, `mode=1777`. */
  | { kind: 'tmpfs'; path: string; options: readonly string[]; populate: boolean };

export interface StorageChoice {
  mounts?: readonly InstanceMount[] | undefined;
  /** Whether the root takes no writes. /run, /tmp, /var/tmp and the image's volumes do. */
  readOnly?: boolean | undefined;
  /** A raw image with ext4 for what is written to a root on a disk. Default: memory of the guest, at most half of it. */
  scratch?: string | undefined;
}

/** What the monitor and the guest are told of an instance's file systems. */
export interface Storage {
  initrd: string | undefined;
  disks: Disk[];
  shares: Share[];
  start: Pick<Start, 'root' | 'readOnly' | 'mounts'>;
}

const ROOT = 'root';
const SCRATCH = 'scratch';
const DEFAULT_WRITABLE = '50%';

/**
 * Lays out an instance's file systems.
 *
 * @param shareKind the monitor's
 * @throws PullerError `OPTION_UNSUPPORTED` for what the image's kernel cannot mount
 */
export function storageOf(
  bootable: Bootable,
  { mounts = [], readOnly = false, scratch }: StorageChoice,
  shareKind: Monitor['shareKind'],
): Storage {
  const { root, config } = bootable;
  const own = readOnly ? writableVolumes(Object.keys(config.Volumes ?? {}), mounts) : [];
  const storage: Storage = { initrd: undefined, disks: [], shares: [], start: { readOnly } };
  if (root.kind === 'initramfs') {
    storage.initrd = root.initrd;
    if (scratch !== undefined)
      throw new PullerError(
        'OPTION_UNSUPPORTED',
        'the root of this image is in memory: it has no use for a scratch disk',
      );
  } else {
    storage.disks.push({ serial: ROOT, file: root.disk, format: 'vmdk', readOnly: true });
    const writable = scratch === undefined ? { tmpfs: DEFAULT_WRITABLE } : { disk: SCRATCH };
    if (scratch !== undefined) storage.disks.push({ serial: SCRATCH, file: scratch, format: 'raw', readOnly: false });
    storage.start.root = { disk: ROOT, type: 'erofs', writable };
  }
  // One below another's path is mounted after it, or it would be hidden.
  const ordered = [...own, ...mounts].sort((one, other) => depth(one) - depth(other));
  storage.start.mounts = ordered.map((mount, index) =>
    addMount(storage, mount, index, bootable.filesystems, shareKind),
  );
  return storage;
}

/** What an image declares as its volumes is to be written to even where its root is not. */
function writableVolumes(paths: readonly string[], mounts: readonly InstanceMount[]): InstanceMount[] {
  const taken = new Set(mounts.map(({ path }) => path));
  return paths
    .filter((path) => path.startsWith('/') && path !== '/' && !taken.has(path))
    .sort()
    .map((path) => ({ kind: 'tmpfs', path, options: [], populate: true }));
}

function depth({ path }: InstanceMount): number {
  return path.split('/').length;
}

function addMount(
  { disks, shares }: Storage,
  mount: InstanceMount,
  index: number,
  filesystems: readonly FileSystem[],
  shareKind: Monitor['shareKind'],
): StartMount {
  const { path } = mount;
  if (mount.kind === 'tmpfs') {
    const options = [...mount.options, ...(mount.populate ? ['populate'] : [])];
    return { kind: 'tmpfs', source: '', options, path };
  }
  const name = `volume-${index}`;
  const kind = mount.kind === 'disk' ? 'ext4' : shareKind(filesystems, mount.readOnly);
  if (!filesystems.includes(kind)) {
    throw new PullerError(
      'OPTION_UNSUPPORTED',
      `the image's kernel cannot mount ${path}: it is built without ${kind}`,
      {
        hint: 'build the image with a kernel of the preset general: uk build --preset general',
      },
    );
  }
  if (mount.kind === 'disk') {
    const { file, readOnly, replay = false } = mount;
    disks.push({ serial: name, file, format: 'raw', readOnly: readOnly && !replay });
  } else if (kind !== 'ext4') shares.push({ kind, tag: name, folder: mount.folder, readOnly: mount.readOnly });
  const options = [
    ...(mount.readOnly ? ['ro'] : []),
    ...(mount.kind === 'disk' && mount.populate && !mount.readOnly ? ['populate'] : []),
  ];
  return { kind, source: name, options, path };
}
