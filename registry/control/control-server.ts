// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { RegistryError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createCollector, type Progress } from '../service/collector/index.ts';
import type { ObjectStore } from '../storage/contract.ts';
import { type ControlPath, controlPath } from './control-path.ts';
import { type CollectionLine, collectionRequestSchema } from './messages.ts';

/** Progress is for people. */
const TOLD_EVERY_MS = 200;

/**
 * What the owner of a storage folder can have its server do. Only one server may work on a folder, so `uk registry gc`
 * cannot do it beside one; it asks here, over a socket in the folder that only the folder's owner can open.
 */
export class ControlServer {
  readonly #store: ObjectStore;
  readonly #logger: Logger;
  readonly #server: Server;
  readonly #running = new Map<AbortController, Promise<void>>();
  #path: ControlPath | undefined;

  constructor(store: ObjectStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
    this.#server = createServer((request, response) => {
      const controller = new AbortController();
      // Who asked and left wants no more of it; the next collection goes on where this one was.
      response.once('close', () => controller.abort(new Gone()));
      const answered = this.#answer(request, response, controller.signal).finally(() => {
        this.#running.delete(controller);
      });
      this.#running.set(controller, answered);
    });
  }

  /** @param root of a storage folder that this process owns */
  async listen(root: string): Promise<void> {
    try {
      this.#path = controlPath(root);
      const { path } = this.#path;
      // What a server left that was killed; nobody else can listen here.
      rmSync(path, { force: true });
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        // The name appears with these rights: there is no moment in which others could open it.
        const before = process.umask(0o077);
        this.#server.listen(path, resolve);
        process.umask(before);
      });
    } catch (error) {
      // Some file systems have no sockets; everything else works without.
      this.#logger.warn({ err: error }, 'cannot listen for `uk registry gc` in the storage folder');
    }
  }

  async close(): Promise<void> {
    this.#server.close(() => undefined);
    for (const controller of this.#running.keys()) controller.abort(new Gone());
    await Promise.allSettled(this.#running.values());
    this.#server.closeAllConnections();
    this.#path?.[Symbol.dispose]();
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const say = (line: CollectionLine) => void response.write(`${JSON.stringify(line)}\n`);
    try {
      if (request.method !== 'POST' || request.url !== '/collect') {
        response.writeHead(404).end();
        return;
      }
      const { dryRun, takeOver, ...times } = collectionRequestSchema.parse(
        JSON.parse(await text(addAbortSignal(signal, request))),
      );
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      const onProgress = every(TOLD_EVERY_MS, (progress: Progress) => say({ progress }));
      const report = await createCollector(this.#store, times).run({ dryRun, takeOver, signal, onProgress });
      if (!dryRun) this.#logger.info({ ...report }, 'collected what nothing needs');
      say({ report });
    } catch (error) {
      if (!signal.aborted) this.#logger.error({ err: error }, 'a collection failed');
      say({ failure: describe(error) });
    }
    response.end();
  }
}

class Gone extends RegistryError {
  constructor() {
    super('COLLECTION_ENDED', 'the collection was ended before it was through', {
      hint: 'the next one goes on where it was',
    });
  }
}

function describe(error: unknown): { code: string; message: string; hint?: string | undefined } {
  if (error instanceof RegistryError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) };
}

/** Calls at most once in so many milliseconds; the last call may go unheard. */
function every<T>(milliseconds: number, tell: (value: T) => void): (value: T) => void {
  let told = 0;
  return (value) => {
    const now = performance.now();
    if (now - told < milliseconds) return;
    told = now;
    tell(value);
  };
}
