// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../image-format/index.ts';
import type { Compiler } from '../toolchain.ts';

/** Digests and names of all that a libc is made of; as `sources` in `libc.json`. */
export interface LibcInputs extends Compiler {
  /** Of the source's `.dsc`, which has the digests of its archives. */
  readonly musl: Digest;
  readonly patches: Digest;
  /** Of the compiler's wrapper, which is part of the result. */
  readonly wrapper: Digest;
  readonly builder: number;
}
