// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { RegistryError } from '../../errors.ts';
import { checkKey } from '../contract.ts';

/** What S3 allows. */
const LONGEST = 1024;

/**
 * The folders below the prefix:
 *
 *     objects/<key>              records and data under their keys; unfinished multipart uploads, which nobody sees
 *     tails/<data key>/<uuid>    the end of unfinished data that is too short for a part
 *     probe/<uuid>/...           while a server starts
 */
export class Layout {
  readonly objects: string;
  readonly tails: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.objects = `${prefix}objects/`;
    this.tails = `${prefix}tails/`;
  }

  /** @throws RegistryError `KEY_INVALID` */
  object(key: string): string {
    const path = this.objects + checkKey(key);
    if (path.length <= LONGEST) return path;
    throw new RegistryError('KEY_INVALID', `too long with its prefix: ${key.slice(0, 200)}`);
  }

  /** The folder of all tails that a piece of data has. @throws RegistryError `KEY_INVALID` */
  tailsOf(key: string): string {
    return `${this.tails}${checkKey(key)}/`;
  }

  newTail(key: string): string {
    return this.tailsOf(key) + randomUUID();
  }

  newProbe(): string {
    return `${this.#prefix}probe/${randomUUID()}/`;
  }
}
