// SPDX-License-Identifier: Apache-2.0

/** The descriptor of a root's disk; the files that it names stand beside it. */
export const DISK = 'disk.vmdk';
