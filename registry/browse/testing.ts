// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, type Digest, digestOf, MEDIA_TYPE, type Platform } from '../../image-format/index.ts';
import type { Service } from '../service/index.ts';

export interface PushedDescriptor extends Record<string, unknown> {
  mediaType: string;
  digest: Digest;
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}

/** Pushes small documents into a service, for tests. */
export class Pusher {
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  async blob(repository: string, bytes: string | Buffer, mediaType: string): Promise<PushedDescriptor> {
    const content = Buffer.from(bytes);
    const digest = digestOf(content);
    async function* source() {
      yield Buffer.from(content);
    }
    await this.#service.uploads.whole(repository, digest, { source: source(), length: content.length });
    return { mediaType, digest, size: content.length };
  }

  /** An image for linux on amd64, of layers of these bytes. */
  async image(
    repository: string,
    tags: readonly string[],
    layers: readonly (string | Buffer)[],
    options: {
      architecture?: string;
      labels?: Record<string, string>;
      annotations?: Record<string, string>;
      mediaType?: string;
      config?: Record<string, unknown>;
    } = {},
  ): Promise<PushedDescriptor> {
    const { architecture = 'amd64', labels = {}, annotations, mediaType = MEDIA_TYPE.layer } = options;
    const config = {
      os: 'linux',
      architecture,
      config: { Entrypoint: ['/app'], Env: ['A=b=c'], ExposedPorts: { '80/tcp': {} }, Labels: labels },
      rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(Buffer.from(bytes))) },
      history: layers.map((_, at) => ({ created_by: `step ${at}` })),
      ...options.config,
    };
    return this.manifest(repository, tags, {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: await this.blob(repository, JSON.stringify(config), MEDIA_TYPE.config),
      layers: await this.#blobs(repository, layers, mediaType),
      ...(annotations === undefined ? {} : { annotations }),
    });
  }

  async artifact(
    repository: string,
    options: {
      artifactType: string;
      tags?: readonly string[];
      subject?: Descriptor | PushedDescriptor;
      layers?: readonly (string | Buffer)[];
      mediaType?: string;
      annotations?: Record<string, string>;
      layerAnnotations?: Record<string, string>;
    },
  ): Promise<PushedDescriptor> {
    const { artifactType, tags = [], subject, layers = [], mediaType = artifactType, annotations } = options;
    const blobs = await this.#blobs(repository, layers, mediaType);
    return this.manifest(repository, tags, {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      artifactType,
      config: await this.blob(repository, '{}', MEDIA_TYPE.empty),
      layers: blobs.map((blob) =>
        options.layerAnnotations === undefined ? blob : { ...blob, annotations: options.layerAnnotations },
      ),
      ...(subject === undefined ? {} : { subject: plain(subject) }),
      ...(annotations === undefined ? {} : { annotations }),
    });
  }

  index(repository: string, tags: readonly string[], manifests: readonly unknown[]): Promise<PushedDescriptor> {
    return this.manifest(repository, tags, { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests });
  }

  async manifest(
    repository: string,
    tags: readonly string[],
    document: { mediaType: string; [name: string]: unknown },
  ): Promise<PushedDescriptor> {
    const bytes = Buffer.from(JSON.stringify(document));
    const { digest } = await this.#service.manifests.put(repository, { bytes, contentType: undefined, tags });
    return { mediaType: document.mediaType, digest, size: bytes.length };
  }

  #blobs(repository: string, layers: readonly (string | Buffer)[], mediaType: string): Promise<PushedDescriptor[]> {
    return Promise.all(layers.map((bytes) => this.blob(repository, bytes, mediaType)));
  }
}

function plain({ mediaType, digest, size }: Descriptor | PushedDescriptor) {
  return { mediaType, digest, size };
}

export interface TarEntry {
  path: string;
  content?: string | Buffer;
  type?: 'directory' | 'symlink' | 'hardlink';
  target?: string;
  mode?: number;
  uid?: number;
  gid?: number;
}

const FLAGS = { file: '0', hardlink: '1', symlink: '2', directory: '5' };

/** A plain archive, made by hand so that it may hold anything. Long paths go into extended headers. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    const path = Buffer.from(entry.path);
    const long = path.length > 100 ? [...headed('././@LongLink', path, 'L', {})] : [];
    return [...long, ...headed(path, content, FLAGS[entry.type ?? 'file'], entry)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function headed(path: string | Buffer, content: Buffer, flag: string, entry: Partial<TarEntry>): Buffer[] {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  Buffer.from(path).copy(header, 0, 0, 100);
  octal(entry.mode ?? 0o644, 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148, 'latin1');
  header.write(flag, 156, 'latin1');
  header.write(entry.target ?? '', 157, 100, 'utf8');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
