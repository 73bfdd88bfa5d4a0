// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseProfile } from '../../hardware-profiles/index.ts';
import type { LayerFile } from '../../image-format/layers/index.ts';
import { PullerError } from '../errors.ts';
import type { FileSystem, ReadyKernel } from './bootable.ts';

export const VMLINUX = 'vmlinux';

/** Most bytes of `/boot/config`, `/boot/kernel.json` and `/boot/profile.json`. */
const JSON_MAX = 1024 * 1024;

/** What a kernel layer says beside the kernel. */
export type KernelData = Omit<ReadyKernel, 'vmlinux'>;

const TEXTS: ReadonlySet<string> = new Set(['boot/config', 'boot/kernel.json', 'boot/profile.json']);

/**
 * Takes the kernel out of its layer.
 *
 * @param folder to put {@link VMLINUX} into
 * @throws PullerError `IMAGE_UNSUPPORTED`; ImageError for a damaged layer
 */
export async function extractKernel(folder: string, entries: AsyncIterable<LayerFile>): Promise<KernelData> {
  const texts = new Map<string, Buffer>();
  let found = false;
  for await (const { path, type, size, content } of entries) {
    if (type !== 'file') continue;
    if (path === 'boot/vmlinux') {
      await pipeline(content, createWriteStream(join(folder, VMLINUX), { flags: 'wx', mode: 0o600 }));
      found = true;
    } else if (TEXTS.has(path)) {
      if (size > JSON_MAX) throw notAKernel(`its /${path} is larger than ${JSON_MAX} bytes`);
      texts.set(path, await collect(content));
    }
  }
  const [kernelText, profileText] = [texts.get('boot/kernel.json'), texts.get('boot/profile.json')];
  if (!found || kernelText === undefined || profileText === undefined) {
    throw notAKernel('it lacks /boot/vmlinux, /boot/kernel.json or /boot/profile.json');
  }
  return {
    kernelJson: parseKernelJson(kernelText),
    profile: parseProfile(profileText, "the image's /boot/profile.json"),
    ...abilitiesOf(texts.get('boot/config')?.toString('latin1') ?? ''),
  };
}

/** Options that mounting takes. */
const OPTIONS: Readonly<Record<FileSystem, readonly string[]>> = {
  erofs: ['EROFS_FS', 'OVERLAY_FS', 'VIRTIO_BLK', 'TMPFS'],
  ext4: ['EXT4_FS', 'VIRTIO_BLK'],
  '9p': ['9P_FS', 'NET_9P_VIRTIO'],
  virtiofs: ['VIRTIO_FS'],
};

/** What the text of a kernel's configuration says of what it can do. */
export function abilitiesOf(config: string): Pick<ReadyKernel, 'hz' | 'filesystems'> {
  const [, hz] = /^CONFIG_HZ=([0-9]{2,4})$/m.exec(config) ?? [];
  const lines = new Set(config.split('\n'));
  const names = Object.keys(OPTIONS) as FileSystem[];
  return {
    ...(hz === undefined ? {} : { hz: Number(hz) }),
    filesystems: names.filter((name) => OPTIONS[name].every((option) => lines.has(`CONFIG_${option}=y`))),
  };
}

async function collect(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parseKernelJson(bytes: Buffer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch (cause) {
    throw notAKernel('its /boot/kernel.json is not JSON', cause);
  }
  throw notAKernel('its /boot/kernel.json is no object');
}

function notAKernel(why: string, cause?: unknown): PullerError {
  return new PullerError('IMAGE_UNSUPPORTED', `the kernel layer cannot be used: ${why}`, { cause });
}
