// SPDX-License-Identifier: Apache-2.0
import type { Descriptor, Digest } from '../../../image-format/index.ts';
import { RegistryError } from '../../errors.ts';
import type { Service } from '../../service/index.ts';
import { checkManifestReference, checkRepository } from '../../service/names.ts';
import { atOnce } from '../at-once.ts';
import { collect } from '../content.ts';
import type { OpenFile } from '../contract.ts';
import { readContent } from '../image/facts.ts';
import { whyUnreadable } from '../image/unreadable.ts';
import { checkPage } from '../page.ts';
import {
  type FilePage,
  type FilesPlace,
  type FilesQuery,
  type FileView,
  MOST_SHOWN,
  type RootSummary,
} from '../types/files.ts';
import type { Made, Refusal } from '../types/paging.ts';
import type { Listed, Located, Question, Summary } from './ask.ts';
import { fileContent } from './file-content.ts';
import type { LayerIndexes } from './layer-indexes.ts';
import type { Answer, LayerKey, Query } from './messages.ts';
import { Slots } from './slots.ts';
import type { FilesThread } from './thread.ts';

/** Layers of one image that are put over one another. */
const MOST_LAYERS = 512;
const MOST_HEX = 64 * 1024;
/** Unpacking costs processors; those who look wait for one another, and leave pulls alone. */
const VIEWS_AT_ONCE = 1;
const DOWNLOADS_AT_ONCE = 2;
const MOST_WAITING = 50;

/** The files of images: listed, searched, shown, downloaded. */
export class ImageFiles {
  readonly #service: Service;
  readonly #indexes: LayerIndexes;
  readonly #thread: FilesThread;
  readonly #views = new Slots(VIEWS_AT_ONCE, MOST_WAITING);
  readonly #downloads = new Slots(DOWNLOADS_AT_ONCE, MOST_WAITING);

  constructor(service: Service, indexes: LayerIndexes, thread: FilesThread) {
    this.#service = service;
    this.#indexes = indexes;
    this.#thread = thread;
  }

  async summary(repository: string, reference: string): Promise<Made<RootSummary>> {
    const layers = await this.layersOf(repository, reference);
    return this.#asked({ repository, reference }, { kind: 'summary' }, (answer) => {
      const found = answer as Summary;
      return {
        ...found,
        // As many as there are layers: the summary is about these.
        layers: found.layers.map((layer) => ({ ...layer, digest: layers[layer.number]?.digest as Digest })),
      };
    });
  }

  async list(place: FilesPlace, query: FilesQuery): Promise<Made<FilePage>> {
    const { page, size } = checkPage(query);
    const { path = '', search, sort = 'name', changes = false } = query;
    const question: Question = { kind: 'list', layer: place.layer, path, search, sort, changes, page, size };
    return this.#asked(place, question, (answer) => {
      const listed = answer as Listed | undefined;
      if (listed === undefined) {
        if (path === '' && place.layer !== undefined) throw noLayer(place.reference, place.layer);
        throw noFile(path);
      }
      return { ...listed, page, size, path: listed.folder.path };
    });
  }

  async view(place: FilesPlace, path: string): Promise<Made<FileView>> {
    const located = await this.#locate(place, path);
    if (located.state !== 'ready') return located;
    const { row, content, blob } = located.value;
    const none = { ...row, blob, content: '', shown: 0, cut: false };
    if (content === undefined) return ready({ ...none, view: 'none' });
    using _slot = await this.#views.take();
    const wanted = { layer: blob, offset: content.offset, size: Math.min(content.size, MOST_SHOWN) };
    const bytes = await collect(fileContent(this.#service, place.repository, wanted), MOST_SHOWN);
    const text = textIn(bytes, bytes.length < content.size);
    if (text !== undefined) {
      return ready({ ...none, view: 'text', content: text, shown: bytes.length, cut: bytes.length < content.size });
    }
    const shown = bytes.subarray(0, MOST_HEX);
    const cut = shown.length < content.size;
    return ready({ ...none, view: 'hex', content: shown.toString('hex'), shown: shown.length, cut });
  }

  async open(place: FilesPlace, path: string): Promise<Made<OpenFile>> {
    const located = await this.#locate(place, path);
    if (located.state !== 'ready') return located;
    const { row, content, blob } = located.value;
    if (content === undefined) throw noFile(path);
    const slot = await this.#downloads.take();
    const bytes = fileContent(this.#service, place.repository, { ...content, layer: blob });
    return ready({
      name: row.name,
      size: content.size,
      content: bytes,
      async [Symbol.asyncDispose]() {
        await bytes.return();
        slot[Symbol.dispose]();
      },
    });
  }

  /** The first bytes of a file, or undefined where it is none, or has more. */
  async whole(place: FilesPlace, path: string, most: number): Promise<Made<Buffer | undefined | 'large'>> {
    const located = await this.#locate(place, path).catch((error) => {
      if (error instanceof RegistryError && error.code === 'FILE_UNKNOWN') return ready(undefined);
      throw error;
    });
    if (located.state !== 'ready') return located;
    const { content, blob } = located.value ?? {};
    if (content === undefined || blob === undefined) return ready(undefined);
    if (content.size > most) return ready('large' as const);
    using _slot = await this.#views.take();
    return ready(await collect(fileContent(this.#service, place.repository, { ...content, layer: blob }), most));
  }

  /** Texts that were kept beside the indexes: those of the kernel. */
  async texts(repository: string, reference: string): Promise<Made<Readonly<Record<string, string>>>> {
    const keys = await this.keys(repository, reference);
    if (keys.state !== 'ready') return keys;
    return this.ask({ about: 'texts', layers: keys.value }, (answer) => answer as Record<string, string>);
  }

  /**
   * The layers of an image, each with an index that is ready.
   *
   * @throws RegistryError `CONTENT_UNREADABLE` for a manifest that has no layers of files
   */
  async keys(repository: string, reference: string): Promise<Made<LayerKey[]>> {
    const layers = await this.layersOf(repository, reference);
    if (layers.length > MOST_LAYERS) {
      return refuse('CONTENT_UNREADABLE', `${layers.length} layers are too many to be looked into`);
    }
    const states = await atOnce(layers, MOST_LAYERS, (layer) => this.#indexOf(repository, layer));
    const refused = states.findIndex(({ state }) => state === 'refused');
    const reason = refused < 0 ? undefined : (states[refused] as { reason: Refusal }).reason;
    if (reason !== undefined) return refuse(reason.code, `layer ${refused}: ${reason.message}`);
    const making = states.filter((one) => one.state === 'making');
    const [only] = making;
    if (only !== undefined && layers.length === 1) return only;
    if (only !== undefined) {
      const done = layers.length - making.length;
      return { state: 'making', progress: { done, total: layers.length, unit: 'layers' } };
    }
    return ready(layers.map(({ digest }) => digest));
  }

  /** Asks the thread, which reads indexes that it does not hold. What it refuses is an answer. */
  async ask<T>(query: Query, read: (answer: Answer) => T): Promise<Made<T>> {
    try {
      const answer = await this.#thread.query(query, async (key) => {
        const index = await this.#indexes.peek(key as Digest);
        if (index === undefined) throw new RegistryError('CONTENT_UNREADABLE', `the index of ${key} is gone`);
        return this.#indexes.read(index);
      });
      return ready(read(answer));
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'CONTENT_UNREADABLE') throw error;
      return refuse(error.code, error.message);
    }
  }

  /** @throws RegistryError `MANIFEST_UNKNOWN`, `CONTENT_UNREADABLE` */
  async layersOf(repository: string, reference: string): Promise<Descriptor[]> {
    const stored = await this.#service.manifests.get(checkRepository(repository), checkManifestReference(reference));
    const document = readContent(stored)?.document;
    if (document?.kind !== 'manifest') {
      throw new RegistryError('CONTENT_UNREADABLE', `${reference} in ${repository} is no image, so it has no files`, {
        hint: 'choose one of its images',
      });
    }
    return document.value.layers;
  }

  async #locate(place: FilesPlace, path: string): Promise<Made<Located & { blob: Digest }>> {
    const layers = await this.layersOf(place.repository, place.reference);
    return this.#asked(place, { kind: 'lookup', layer: place.layer, path, follow: true }, (answer) => {
      const located = answer as Located | undefined;
      const blob = layers[located?.content?.layer ?? located?.row.layer ?? 0]?.digest;
      if (located === undefined || blob === undefined) throw noFile(path);
      return { ...located, blob };
    });
  }

  async #asked<T>(place: FilesPlace, question: Question, read: (answer: Answer) => T): Promise<Made<T>> {
    const { repository, reference, layer } = place;
    const keys = await this.keys(repository, reference);
    if (keys.state === 'ready') return this.ask({ about: 'stack', layers: keys.value, question }, read);
    if (keys.state === 'making' || layer === undefined) return keys;
    return this.#alone(repository, reference, layer, question, read);
  }

  /** A layer by itself, where another layer of the image cannot be listed: what it does to others is not known. */
  async #alone<T>(
    repository: string,
    reference: string,
    number: number,
    question: Question,
    read: (answer: Answer) => T,
  ): Promise<Made<T>> {
    const layer = (await this.layersOf(repository, reference))[number];
    if (layer === undefined) throw noLayer(reference, number);
    const index = await this.#indexOf(repository, layer);
    if (index.state !== 'ready') return index;
    const alone = { about: 'stack' as const, layers: [layer.digest], question: { ...question, layer: 0 } };
    return this.ask(alone, (answer) => read(renumbered(answer, number)));
  }

  async #indexOf(repository: string, { digest, mediaType }: Descriptor): Promise<Made<unknown>> {
    const why = whyUnreadable(mediaType, true);
    if (why !== undefined) return refuse('CONTENT_UNREADABLE', why);
    try {
      return await this.#indexes.of(repository, digest);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'BLOB_UNKNOWN') throw error;
      return refuse(error.code, 'the registry does not hold the layer');
    }
  }
}

/** Rows of a layer that was looked at by itself, with its number in the image. */
function renumbered(answer: Answer, layer: number): Answer {
  if (answer === undefined) return undefined;
  if ('row' in answer) {
    const { row, content } = answer as Located;
    return { row: { ...row, layer }, content: content && { ...content, layer } };
  }
  const listed = answer as Listed;
  const withNumber = ({ change: _, ...row }: Listed['folder']) => ({ ...row, layer });
  return { ...listed, rows: listed.rows.map(withNumber), folder: withNumber(listed.folder) };
}

function textIn(bytes: Buffer, cut: boolean): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    // A character at the cut may be there in part.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}

export function ready<T>(value: T): { state: 'ready'; value: T } {
  return { state: 'ready', value };
}

export function refuse(code: string, message: string): { state: 'refused'; reason: Refusal } {
  return { state: 'refused', reason: { code, message } };
}

function noLayer(reference: string, number: number): RegistryError {
  return new RegistryError('FILE_UNKNOWN', `${reference} has no layer ${number}`);
}

function noFile(path: string): RegistryError {
  return new RegistryError('FILE_UNKNOWN', `there is no file ${JSON.stringify(path.slice(0, 200))}`);
}
