// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type Descriptor, descriptorSchema } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { isMissing, storeError, syncFolder } from './durable.ts';
import type { IngestFolder } from './ingest.ts';

const nameSchema = z.strictObject({ name: z.string(), descriptor: descriptorSchema });

export interface Name {
  name: string;
  descriptor: Descriptor;
}

/**
 * Names for descriptors, one small file each. An image layout keeps them all in one `index.json`, and two processes
 * that change it at once need a lock or lose one change; a file per name is replaced as a whole and needs none.
 */
export class NameFolder {
  readonly #path: string;
  readonly #ingest: IngestFolder;

  constructor(path: string, ingest: IngestFolder) {
    this.#path = path;
    this.#ingest = ingest;
  }

  async get(name: string): Promise<Descriptor | undefined> {
    return (await this.#read(fileName(name)))?.descriptor;
  }

  async set(name: string, descriptor: Descriptor): Promise<void> {
    const target = join(this.#path, fileName(name));
    await this.#ingest.publish(`naming ${name} in ${this.#path}`, async (file) => {
      await file.writeFile(`${JSON.stringify({ name, descriptor }, null, 2)}\n`);
      return target;
    });
  }

  async delete(name: string): Promise<boolean> {
    try {
      await rm(join(this.#path, fileName(name)));
      await syncFolder(this.#path);
      return true;
    } catch (cause) {
      if (isMissing(cause)) return false;
      throw storeError(cause, `removing the name ${name} from ${this.#path}`);
    }
  }

  /** In byte order. */
  async list(): Promise<Name[]> {
    await mkdir(this.#path, { recursive: true });
    const files = (await readdir(this.#path)).filter((file) => file.endsWith('.json'));
    const names: Name[] = [];
    for (const file of files) {
      const name = await this.#read(file);
      if (name !== undefined) names.push(name);
    }
    return names.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  async #read(file: string): Promise<Name | undefined> {
    const path = join(this.#path, file);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw storeError(cause, `reading ${path}`);
    }
    try {
      const name = nameSchema.parse(JSON.parse(text));
      if (fileName(name.name) === file) return name;
    } catch {
      // Damaged, whatever way: the same answer as for a file that names something else.
    }
    throw new ImageError('LAYOUT_INVALID', `a name of the store is damaged: ${path}`, {
      hint: 'remove that file; then pull or build its image again',
    });
  }
}

/** Readable where the file system takes it (255 bytes with room for the ending), a digest otherwise. */
function fileName(name: string): string {
  const readable = encodeURIComponent(name.toWellFormed());
  const safe = readable.length > 0 && readable.length <= 200 && !readable.startsWith('sha256-');
  return `${safe ? readable : `sha256-${createHash('sha256').update(name).digest('hex')}`}.json`;
}
