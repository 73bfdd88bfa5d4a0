// SPDX-License-Identifier: Apache-2.0

/** The descriptor of a root's disk; the files that it names stand beside it. */
export const DISK = 'disk.vmdk';

/** A layer's plain archive, filled up to whole blocks of 512 bytes. */
export const TAR = 'layer.tar';

/** An archive's entries: see `formatIndex`. */
export const INDEX = 'index.json';

/** The merged tree of layers: see `formatTree`. */
export const TREE = 'tree.json';
