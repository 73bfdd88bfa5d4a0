// SPDX-License-Identifier: Apache-2.0
import { KernelError } from './errors.ts';

/** What a kernel is asked for by; a hardware profile's `kernel` is one. */
export interface KernelRequest {
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

/**
 * The names of all fragments of a kernel in the order in which they are merged, none twice.
 *
 * @throws KernelError `VARIANT_UNKNOWN`
 */
export function fragmentsOf({ variant, fragments }: KernelRequest): string[] {
  const own = Object.hasOwn(VARIANTS, variant) ? VARIANTS[variant] : undefined;
  if (own === undefined) {
    throw new KernelError('VARIANT_UNKNOWN', `unknown kernel variant: ${JSON.stringify(variant)}`, {
      hint: `known variants: ${Object.keys(VARIANTS).join(', ')}`,
    });
  }
  return [...new Set([...ALWAYS, ...own, ...fragments])];
}
