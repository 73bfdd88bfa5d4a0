// SPDX-License-Identifier: Apache-2.0
// Files into a guest and out of it.
export { extractArchive } from './extract.ts';
export { packPath, repack } from './pack.ts';
export { archiveOfGuest, guestPath, unpackInGuest } from './transfer.ts';
