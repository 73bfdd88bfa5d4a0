// SPDX-License-Identifier: Apache-2.0
import { CodedError } from '../image-format/index.ts';

export type KernelErrorCode =
  /** A tool, library or source that a kernel build needs is not on this machine. */
  | 'REQUIREMENTS_MISSING'
  /** The source of a libc that the distribution's package manager would not give. */
  | 'SOURCE_UNAVAILABLE'
  | 'VARIANT_UNKNOWN'
  | 'FRAGMENT_UNKNOWN'
  /** A Kconfig fragment with a line that is none. */
  | 'FRAGMENT_INVALID'
  /** A line of a fragment that Kconfig did not take: a misspelt symbol, or one whose dependencies do not hold. */
  | 'CONFIG_NOT_TAKEN'
  /** A patch that does not apply to this point release. */
  | 'PATCH_FAILED'
  /** The compiler, the linker or one of their helpers failed. */
  | 'BUILD_FAILED'
  /** The cache of what was built cannot be read or written. */
  | 'CACHE_IO';

export class KernelError extends CodedError<KernelErrorCode> {}
