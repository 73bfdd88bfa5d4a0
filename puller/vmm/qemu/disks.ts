// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../../errors.ts';
import type { Disk, MachineSpec, Share } from '../monitor.ts';

/** Places for virtio devices in a microvm without ACPI (QEMU, hw/i386/microvm.c, `virtio_num_transports`). */
const VIRTIO_PLACES = 8;

/** Those that every guest has: the ports, the random generator, the network. */
const VIRTIO_ALWAYS = 3;

/** Bytes of a serial (linux/virtio_blk.h, VIRTIO_BLK_ID_BYTES). */
const SERIAL = /^[A-Za-z0-9-]{1,20}$/;

/**
 * The disks and the shared folders of a guest.
 *
 * @throws PullerError `OPTION_UNSUPPORTED` for more than the machine has places for
 */
export function storageArguments(
  { disks = [], shares = [] }: Pick<MachineSpec, 'disks' | 'shares'>,
  sockets: ReadonlyMap<string, string> = new Map(),
): string[] {
  const most = VIRTIO_PLACES - VIRTIO_ALWAYS;
  if (disks.length + shares.length > most) {
    throw new PullerError(
      'OPTION_UNSUPPORTED',
      `this machine has places for ${most} disks and shared folders, and ${disks.length + shares.length} are asked for`,
      { hint: 'share one folder that holds the others, or use --tmpfs where nothing has to stay' },
    );
  }
  // Without this word the machine's virtio is of the kind from before version 1, which daemons refuse.
  const modern = shares.some(({ kind }) => kind === 'virtiofs') ? ['-global', 'virtio-mmio.force-legacy=false'] : [];
  return [
    ...modern,
    ...disks.flatMap(disk),
    ...shares.flatMap((one, index) => share(one, index, sockets.get(one.tag))),
  ];
}

/** How many further virtio devices fit. */
export function placesLeft({ disks = [], shares = [] }: Pick<MachineSpec, 'disks' | 'shares'>): number {
  return VIRTIO_PLACES - VIRTIO_ALWAYS - disks.length - shares.length;
}

/** In JSON a path may hold whatever it likes. QEMU itself locks what it writes to (`file.locking`). */
function disk({ serial, file, format, readOnly }: Disk, index: number): string[] {
  const node = `disk${index}`;
  const blockdev = {
    driver: format,
    'node-name': node,
    'read-only': readOnly,
    // What the guest frees is freed on this machine, too: images stay sparse.
    discard: 'unmap',
    file: { driver: 'file', filename: file, discard: 'unmap' },
  };
  return [
    ...['-blockdev', JSON.stringify(blockdev)],
    ...['-device', `virtio-blk-device,drive=${node},serial=${checked(serial)}`],
  ];
}

function share(given: Share, index: number, socket: string | undefined): string[] {
  return given.kind === 'virtiofs' ? byVirtiofs(given, index, socket ?? '') : by9p(given, index);
}

function byVirtiofs({ tag }: Share, index: number, socket: string): string[] {
  const id = `share${index}`;
  return [
    ...['-chardev', `socket,id=${id},path=${socket.replaceAll(',', ',,')}`],
    ...['-device', `vhost-user-fs-device,chardev=${id},tag=${checked(tag)}`],
  ];
}

/**
 * A folder by 9p. Root gives each file the owner that the guest gives it; others cannot, and own what the guest makes.
 */
function by9p({ tag, folder, readOnly }: Share, index: number): string[] {
  const id = `share${index}`;
  const model = process.getuid?.() === 0 ? 'passthrough' : 'none';
  const options = [
    ...['local', `id=${id}`, `path=${folder.replaceAll(',', ',,')}`, `security_model=${model}`],
    ...['multidevs=remap', ...(readOnly ? ['readonly=on'] : [])],
  ];
  return ['-fsdev', options.join(','), '-device', `virtio-9p-device,fsdev=${id},mount_tag=${checked(tag)}`];
}

function checked(name: string): string {
  if (SERIAL.test(name)) return name;
  throw new PullerError('OPTION_UNSUPPORTED', `not a name of a disk: ${JSON.stringify(name)}`);
}
