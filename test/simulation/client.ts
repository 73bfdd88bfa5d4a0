// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestAlgorithm } from '../../image-format/index.ts';
import { RegistryError } from '../../registry/index.ts';
import type { Service } from '../../registry/service/index.ts';
import { BLOBS, type SimulatedManifest, type World } from './content.ts';
import type { Deed, History } from './history.ts';
import type { Random } from './random.ts';
import { Died, type Scheduler, type SimulatedProcess } from './scheduler.ts';

export interface Server {
  process: SimulatedProcess;
  service: Service;
}

/** A client that does one thing after the other, each request to any server. */
export class Client {
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #history: History;
  readonly #world: World;
  readonly #servers: () => readonly Server[];

  constructor(random: Random, scheduler: Scheduler, history: History, world: World, servers: () => readonly Server[]) {
    this.#random = random;
    this.#scheduler = scheduler;
    this.#history = history;
    this.#world = world;
    this.#servers = servers;
  }

  /** Does something. What the registry refuses, or dies over, the client gives up. */
  async act(): Promise<void> {
    const random = this.#random;
    const repository = random.pick(this.#world.repositories);
    const manifest = random.pick(this.#world.manifests);
    const tag = random.pick(this.#world.tags);
    const dice = random.below(100);
    try {
      if (dice < 45) {
        const tags = this.#world.tags.filter(() => random.chance(0.5));
        await this.#pushImage(repository, manifest, tags);
      } else if (dice < 52) {
        await this.#pushManifest(repository, manifest, [tag]);
      } else if (dice < 60) {
        await this.#tell({ kind: 'untag', repository, tag }, (service) => service.manifests.untag(repository, tag));
      } else if (dice < 72) {
        const { digest } = manifest;
        const deed: Deed = { kind: 'delete manifest', repository, digest };
        await this.#tell(deed, (service) => service.manifests.delete(repository, digest));
      } else if (dice < 76) {
        const digest = random.pick(manifest.blobs.length === 0 ? [...BLOBS.keys()] : manifest.blobs);
        const deed: Deed = { kind: 'delete blob', repository, digest };
        await this.#tell(deed, (service) => service.blobs.delete(repository, digest));
      } else if (dice < 80) {
        await this.#abandonUpload(repository);
      } else if (dice < 90) {
        await this.readTag(repository, tag);
      } else {
        await this.readManifest(repository, manifest);
      }
    } catch (error) {
      // Everything else is a mistake of ours.
      if (error instanceof Died || (error instanceof RegistryError && REFUSALS.includes(error.code))) return;
      throw error;
    }
  }

  async readTag(repository: string, tag: string): Promise<void> {
    const deed: Deed = { kind: 'read tag', repository, tag, found: undefined };
    await this.#tell(deed, async (service, event) => {
      const found = await orAbsent(service.manifests.get(repository, { tag }));
      if (event.kind === 'read tag') event.found = found?.digest;
    });
  }

  async readManifest(repository: string, { digest, bytes, blobs }: SimulatedManifest): Promise<void> {
    const deed: Deed = { kind: 'read manifest', repository, digest, found: false };
    await this.#tell(deed, async (service, event) => {
      const found = await orAbsent(service.manifests.get(repository, { digest }));
      if (event.kind === 'read manifest') event.found = found !== undefined;
      if (found !== undefined && !found.bytes.equals(bytes)) throw new Error(`${digest} has other bytes`);
    });
    const of = this.#random.pick(blobs.length === 0 ? [...BLOBS.keys()] : blobs);
    await this.#ask(async (service) => {
      const blob = await orAbsent(service.blobs.get(repository, of));
      if (blob === undefined) return;
      let text = '';
      for await (const chunk of await service.blobs.read(blob)) text += chunk;
      if (text !== BLOBS.get(of)) throw new Error(`${of} in ${repository} reads ${JSON.stringify(text)}`);
    });
  }

  /** As clients do it: blobs first, then children, then the manifest; where something is missing after all, again. */
  async #pushImage(repository: string, manifest: SimulatedManifest, tags: readonly string[]): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      for (const child of manifest.children) await this.#pushImage(repository, child, []);
      const atOnce = this.#random.chance(0.5);
      const bringing = manifest.blobs.map((digest) => () => this.#bringBlob(repository, digest));
      if (atOnce) {
        const failed = (await Promise.allSettled(bringing.map((bring) => bring()))).find(isRejected);
        if (failed !== undefined) throw failed.reason;
      } else {
        for (const bring of bringing) await bring();
      }
      try {
        return await this.#pushManifest(repository, manifest, tags);
      } catch (error) {
        const missing = error instanceof RegistryError && error.code === 'MANIFEST_BLOB_UNKNOWN';
        if (!missing || attempt > 1) throw error;
      }
    }
  }

  #pushManifest(repository: string, { digest, bytes }: SimulatedManifest, tags: readonly string[]): Promise<void> {
    return this.#tell({ kind: 'push', repository, digest, tags }, async (service, event) => {
      await service.manifests.put(repository, { bytes, contentType: undefined, digest, tags });
      if (event.kind === 'push')
        event.version = (await orAbsent(service.manifests.get(repository, { digest })))?.version;
    });
  }

  async #bringBlob(repository: string, digest: Digest): Promise<void> {
    const random = this.#random;
    const text = BLOBS.get(digest) ?? '';
    const way = random.below(5);
    const deed: Deed = { kind: 'bring', repository, digest };
    try {
      // Asked with HEAD whether it is there, or mounted.
      const asked = (service: Service) => service.blobs.getToRely(repository, digest).then(() => undefined);
      if (way === 0) return await this.#tell(deed, asked);
      if (way === 1 || way === 2) return await this.#tell(deed, (service) => this.#mount(service, repository, digest));
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'BLOB_UNKNOWN') throw error;
    }
    if (way === 4) return this.#tell(deed, (service) => service.uploads.whole(repository, digest, bodyOf(text)));
    const hint = random.chance(0.5) ? digestAlgorithm(digest) : undefined;
    const id = await this.#ask((service) => service.uploads.start(repository, hint));
    const cut = random.below(text.length + 1);
    // Streamed, in chunks, or all of it in the last request.
    const style = random.below(3);
    let sent = 0;
    for (const part of style === 2 ? [] : [text.slice(0, cut), text.slice(cut)]) {
      const offset = style === 0 ? undefined : sent;
      await this.#ask((service) => service.uploads.append(repository, id, bodyOf(part), offset));
      sent += part.length;
      if (random.chance(0.3)) break;
    }
    const rest = bodyOf(text.slice(sent));
    const finishing = this.#tell(deed, (service) => service.uploads.finish(repository, id, digest, rest));
    // A client that thinks better of it too late.
    const cancelling = random.chance(0.1) ? this.#ask((service) => service.uploads.cancel(repository, id)) : undefined;
    await Promise.all([finishing, cancelling?.catch(() => undefined)]);
  }

  async #mount(service: Service, repository: string, digest: Digest): Promise<void> {
    const from = this.#random.chance(0.5) ? this.#random.pick(this.#world.repositories) : undefined;
    if (!(await service.blobs.mount(repository, digest, from))) {
      throw new RegistryError('BLOB_UNKNOWN', 'there is none to mount');
    }
  }

  async #abandonUpload(repository: string): Promise<void> {
    const id = await this.#ask((service) => service.uploads.start(repository));
    await this.#ask((service) => service.uploads.append(repository, id, bodyOf('never to be finished')));
    if (this.#random.chance(0.5)) await this.#ask((service) => service.uploads.cancel(repository, id));
  }

  #ask<T>(work: (service: Service) => Promise<T>): Promise<T> {
    const { process, service } = this.#random.pick(this.#servers());
    return process.request(() => work(service));
  }

  /** A request that the history keeps. */
  async #tell(deed: Deed, work: (service: Service, event: Deed) => Promise<void>): Promise<void> {
    const event = this.#history.begin(deed, this.#scheduler.steps);
    try {
      await this.#ask((service) => work(service, event));
      event.acknowledged = true;
    } catch (error) {
      // To be told that there is nothing to delete says as much as to be told that it is deleted.
      if (error instanceof RegistryError && error.code === 'MANIFEST_UNKNOWN') event.acknowledged = true;
      throw error;
    } finally {
      event.to = this.#scheduler.steps;
    }
  }
}

/** What a client may be told by a registry that is right. */
const REFUSALS: readonly string[] = [
  'BLOB_UNKNOWN',
  'MANIFEST_UNKNOWN',
  'MANIFEST_BLOB_UNKNOWN',
  'UPLOAD_UNKNOWN',
  'UPLOAD_OUT_OF_ORDER',
  'DATA_UNKNOWN',
];

const ABSENT: readonly string[] = ['BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'];

async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof RegistryError && ABSENT.includes(error.code)) return undefined;
    throw error;
  }
}

function isRejected(result: PromiseSettledResult<unknown>): result is PromiseRejectedResult {
  return result.status === 'rejected';
}

function bodyOf(text: string) {
  const source = async function* () {
    // In two pieces, and in none where there is nothing.
    const half = Math.ceil(text.length / 2);
    for (const piece of [text.slice(0, half), text.slice(half)]) if (piece !== '') yield Buffer.from(piece);
  };
  return { source: source(), length: text.length };
}
