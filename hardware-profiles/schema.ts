// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { ProfileError } from './errors.ts';
import { parseMemory } from './memory.ts';

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$/;

/** What can be plugged into a machine; the monitor's driver knows how. */
export const DEVICES = ['serial', 'virtio-serial', 'virtio-net', 'virtio-blk', 'virtio-rng', 'virtio-balloon'] as const;

/** Levels of the x86-64 psABI ("Micro-Architecture Levels"). */
export const CPU_LEVELS = ['x86-64', 'x86-64-v2', 'x86-64-v3', 'x86-64-v4'] as const;

/** Sizes of pages that a host's administrator can set aside. */
export const HUGE_PAGES = ['2M', '1G'] as const;

/** Bytes, or text such as `128M` (see `parseMemory`); always bytes once it is read. */
const memory = z.union([z.int().positive(), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value;
  const bytes = parseMemory(value);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: 'custom', message: `not an amount of memory: ${JSON.stringify(value)} (128M, 1G)` });
  return z.NEVER;
});

const identifier = z.string().regex(NAME, 'not a name: lower-case letters, digits, "." and "-"');

const profileSchema = z.strictObject({
  name: identifier,
  description: z.string(),
  architecture: z.literal('amd64'),
  /** Which driver of the node runs it. */
  monitor: identifier,
  machine: z.strictObject({
    /** As the monitor names it. */
    type: z.string().min(1),
    /** Switches of that machine, in the monitor's own words and order. */
    options: z.record(z.string(), z.string()),
  }),
  cpu: z.strictObject({
    /** What programs in the image may use; a node below it refuses the image. */
    level: z.enum(CPU_LEVELS),
  }),
  devices: z.array(z.enum(DEVICES)),
  /** How the host gives the guest its memory. Left out: as it is touched. */
  memory: z
    .strictObject({
      /** Made of huge pages of this size, which a host must have set aside. */
      hugePages: z.enum(HUGE_PAGES).optional(),
      /** All of it is there before the guest starts. */
      prefault: z.boolean().optional(),
    })
    .optional(),
  firmware: z.enum(['none', 'uefi']),
  kernel: z.strictObject({
    /** Which Linux (`default`, `rt`, …). */
    variant: identifier,
    /** Kconfig fragments beyond those that every kernel has, by name. */
    fragments: z.array(identifier),
  }),
  /** How the guest gets its root filesystem: unpacked into its memory, or from a disk, file by file. */
  root: z.enum(['initramfs', 'erofs']),
  /** What an instance gets when nobody says otherwise. */
  defaults: z.strictObject({
    memory,
    cpus: z.int().min(1).max(64),
  }),
});

/** A profile as it is resolved: nothing is left to be looked up elsewhere. `defaults.memory` is in bytes. */
export type Profile = z.infer<typeof profileSchema>;

/**
 * Reads one profile's JSON: a profile's file, or `/boot/profile.json` of an image.
 *
 * @param where what to name in an error
 * @throws ProfileError `PROFILE_INVALID`
 */
export function parseProfile(bytes: Uint8Array, where: string): Profile {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ProfileError('PROFILE_INVALID', `${where}: not JSON`, { cause });
  }
  const result = profileSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new ProfileError('PROFILE_INVALID', `${where}: not a hardware profile${at}: ${issue?.message}`, {
    hint: 'docs/image-format.md lists the fields; a field that this version does not know needs a newer uk',
  });
}

/** The canonical bytes of a profile, as they stand in an image. */
export function formatProfile(profile: Profile): Buffer {
  return Buffer.from(`${JSON.stringify(profileSchema.parse(profile), null, 2)}\n`);
}
