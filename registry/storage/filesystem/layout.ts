// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { checkKey } from '../contract.ts';

/**
 * The folders below the storage's root, all on one file system, so that `rename` and `link` work between them:
 *
 *     objects/<key>      records and whole data, under their keys
 *     partial/<key>      data that is being written
 *     temporary/<uuid>   records that are being written; emptied at every start
 *     server.<n>         who runs on this folder (`ownership.ts`)
 */
export class Layout {
  readonly root: string;
  readonly objects: string;
  readonly partial: string;
  readonly temporary: string;

  constructor(root: string) {
    // Absolute: a server whose working folder changes stays on its folder, and every folder has one above it.
    this.root = resolve(root);
    this.objects = join(this.root, 'objects');
    this.partial = join(this.root, 'partial');
    this.temporary = join(this.root, 'temporary');
  }

  /** @throws RegistryError `KEY_INVALID` */
  objectPath(key: string): string {
    return `${this.objects}/${checkKey(key)}`;
  }

  /** @throws RegistryError `KEY_INVALID` */
  partialPath(key: string): string {
    return `${this.partial}/${checkKey(key)}`;
  }

  temporaryPath(): string {
    return `${this.temporary}/${randomUUID()}`;
  }
}
