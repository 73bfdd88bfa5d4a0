// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
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
    this.root = root;
    this.objects = join(root, 'objects');
    this.partial = join(root, 'partial');
    this.temporary = join(root, 'temporary');
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
