// SPDX-License-Identifier: Apache-2.0
import type { Preset } from '../../kernel-build/index.ts';
import { CliError } from './errors.ts';

export interface PresetFlags {
  fromImage?: string;
  rootfs?: string;
  preset?: Preset;
  root?: 'initramfs' | 'erofs';
}

interface Choice {
  preset: Preset;
  root: 'initramfs' | 'erofs';
  why: string;
}

/**
 * The preset of the kernel that an image is built with, and with it how the guest gets its root.
 *
 * @returns `note` is a line that says what was chosen, and why; what the command line says needs no reason
 * @throws CliError `USAGE` for a root that the preset cannot have
 */
export function choosePreset(flags: PresetFlags): { preset: Preset; note: string | undefined } {
  const { preset, root, why } = choiceOf(flags);
  if (flags.root === 'erofs' && preset === 'small') {
    throw new CliError('USAGE', 'a kernel of the preset small cannot have its root on a disk', {
      hint: 'use --preset general, or --root initramfs',
    });
  }
  if (flags.preset !== undefined && flags.root !== undefined) return { preset, note: undefined };
  const place = root === 'erofs' ? 'on a disk' : 'in memory';
  return { preset, note: `uk: kernel of the preset ${preset}, root ${place}: ${why}` };
}

function choiceOf({ fromImage, rootfs, preset, root }: PresetFlags): Choice {
  if (preset !== undefined) {
    return {
      preset,
      root: root ?? (preset === 'general' && isTree(fromImage, rootfs) ? 'erofs' : 'initramfs'),
      why: '--preset',
    };
  }
  if (root === 'erofs') return { preset: 'general', root, why: 'a root on a disk needs its drivers' };
  if (isTree(fromImage, rootfs)) {
    const why = 'programs of a whole system expect more of a kernel, and most of its files are never read';
    return { preset: 'general', root: root ?? 'erofs', why };
  }
  return { preset: 'small', root: 'initramfs', why: 'one program with what it needs' };
}

function isTree(fromImage: string | undefined, rootfs: string | undefined): boolean {
  return fromImage !== undefined || rootfs !== undefined;
}
