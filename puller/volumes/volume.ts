// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { PullerError } from '../errors.ts';
import { isVolumeName, VOLUME_NAME_FORM } from './volume-name.ts';

/** The volume's file system, as the guest's disk. */
export const DISK_IMAGE = 'disk.img';

/** What is known of the volume. Its presence says that the volume is whole. */
export const RECORD = 'volume.json';

/** What a volume's record holds. */
export interface VolumeRecord {
  name: string;
  /** RFC 3339, UTC. */
  created: string;
  /** Bytes that the disk has for the guest. Most of them take no space on the host until they are written. */
  size: number;
  labels: { readonly [key: string]: string };
}

/** A named volume: an ext4 file system in a file, which stays when the guest has ended. */
export interface Volume extends VolumeRecord {
  /** The file to give to the monitor as a raw disk. */
  disk: string;
}

/**
 * The folder of a volume.
 *
 * @param volumes folder of all volumes
 * @throws PullerError `VOLUME_INVALID` for what cannot be a name
 */
export function volumeFolder(volumes: string, name: string): string {
  if (!isVolumeName(name)) {
    throw new PullerError('VOLUME_INVALID', `not a name for a volume: ${JSON.stringify(name)}`, {
      hint: VOLUME_NAME_FORM,
    });
  }
  return join(volumes, name);
}

/** Reads a record. @throws PullerError `VOLUME_DAMAGED` */
export function parseRecord(text: string, name: string): VolumeRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(name, `${RECORD} is not JSON`, cause);
  }
  if (!isRecord(value)) throw damaged(name, `${RECORD} does not hold what it should`);
  if (value.name !== name) throw damaged(name, `${RECORD} names another volume, ${JSON.stringify(value.name)}`);
  const { created, size, labels } = value;
  return { name, created, size, labels };
}

/** A volume that can be neither used nor listed; it can be removed. */
export function damaged(name: string, what: string, cause?: unknown): PullerError {
  return new PullerError('VOLUME_DAMAGED', `volume ${name} is damaged: ${what}`, {
    cause,
    hint: `uk volume rm ${name} removes it with all that it holds`,
  });
}

function isRecord(value: unknown): value is VolumeRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { name, created, size, labels } = value as Partial<Record<keyof VolumeRecord, unknown>>;
  return (
    typeof name === 'string' &&
    typeof created === 'string' &&
    typeof size === 'number' &&
    Number.isSafeInteger(size) &&
    size > 0 &&
    typeof labels === 'object' &&
    labels !== null &&
    Object.values(labels).every((label) => typeof label === 'string')
  );
}
