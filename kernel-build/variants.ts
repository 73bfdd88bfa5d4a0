// SPDX-License-Identifier: Apache-2.0
import { KernelError } from './errors.ts';

/** What a kernel is asked for by; a hardware profile's `kernel` is one. */
export interface KernelRequest {
  /** What programs find in it, a key of {@link PRESETS}. Default: `small`. */
  readonly preset?: Preset | undefined;
  /** Which Linux, a key of {@link VARIANTS}. */
  readonly variant: string;
  /** Kconfig fragments beyond those that every kernel and this variant have: `smp` for `config/smp.config`. */
  readonly fragments: readonly string[];
}

/** Fragments of every kernel. Later ones override earlier ones, so these come first. */
const ALWAYS = ['base', 'guest'] as const;

/** Fragments of each variant. */
export const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  /** Programs run in ring 0. */
  default: ['ring0'],
  /** The same kernel with programs in ring 3: what ring 0 is measured against. */
  ring3: [],
};

/** Fragments of each preset, those of a profile come beside them. What each of them is for stands in its file. */
export const PRESETS = {
  /** One program that brings all it needs: the least to boot. */
  small: [],
  /** What server software of any distribution expects, and roots on disks. */
  general: [
    'block',
    ...[
      'erofs',
      'large-pages',
      'overlay',
      'ext4',
      '9p',
      'fuse',
      'acl',
      'notify',
      'memfd',
      'userfaultfd',
      'namespaces',
      'cgroups',
    ]
      .concat('tun', 'multicast', 'diag')
      .map((name) => `general/${name}`),
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Preset = keyof typeof PRESETS;

/**
 * The names of all fragments of a kernel in the order in which they are merged, none twice.
 *
 * @throws KernelError `VARIANT_UNKNOWN`
 */
export function fragmentsOf({ variant, preset = 'small', fragments }: KernelRequest): string[] {
  const own = Object.hasOwn(VARIANTS, variant) ? VARIANTS[variant] : undefined;
  if (own === undefined) {
    throw new KernelError('VARIANT_UNKNOWN', `unknown kernel variant: ${JSON.stringify(variant)}`, {
      hint: `known variants: ${Object.keys(VARIANTS).join(', ')}`,
    });
  }
  return [...new Set([...ALWAYS, ...own, ...PRESETS[preset], ...fragments])];
}
