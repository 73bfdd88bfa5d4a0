// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryError } from '../errors.ts';

/** A file that pages load. */
export interface Asset {
  body: Buffer;
  type: string;
  /** Of its content. */
  version: string;
}

const FOLDER = join(import.meta.dirname, 'client');

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** Files that stand in the folder as they are served. Scripts are bundled from their sources. */
const AS_THEY_ARE = ['style.css', 'icon.svg'];

/**
 * What pages load: styles and scripts, all of them in memory. A package brings the scripts bundled; a checkout bundles
 * them when they are first asked for.
 */
export class Assets {
  readonly #files = new Map<string, Asset>();
  #scripts: Promise<void> | undefined;

  static async load(): Promise<Assets> {
    const assets = new Assets();
    for (const name of AS_THEY_ARE) assets.#add(name, await readFile(join(FOLDER, name)));
    return assets;
  }

  /** Undefined where it is not known yet: then the address is the same for every version, and asked for each time. */
  version(name: string): string | undefined {
    return this.#files.get(name)?.version;
  }

  /** @throws RegistryError `ROUTE_UNKNOWN` */
  async get(name: string): Promise<Asset> {
    if (name.endsWith('.js') || name.endsWith('.txt')) {
      this.#scripts ??= this.#loadScripts();
      await this.#scripts.catch((error: unknown) => {
        this.#scripts = undefined;
        throw error;
      });
    }
    const found = this.#files.get(name);
    if (found === undefined) throw new RegistryError('ROUTE_UNKNOWN', 'there is no such file');
    return found;
  }

  async #loadScripts(): Promise<void> {
    const { readBundle } = await import('./client/bundle.ts');
    for (const [name, body] of await readBundle(FOLDER)) this.#add(name, body);
  }

  #add(name: string, body: Buffer): void {
    const type = TYPES[name.slice(name.lastIndexOf('.'))] ?? 'application/octet-stream';
    const version = createHash('sha256').update(body).digest('hex').slice(0, 16);
    this.#files.set(name, { body, type, version });
  }
}
