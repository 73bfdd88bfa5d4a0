// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { ByteRange } from '../contract.ts';
import type { Connection } from './connection.ts';
import { S3Failure } from './failures.ts';

/** An entity tag without its quotes. */
export type ETag = string;

/** `bare`: without quotes; default: as the store likes it. */
export type Condition = 'absent' | { ifMatch: ETag; bare?: boolean };

export interface OpenBody {
  body: Readable;
  /** Bytes that the body should have. */
  size: number;
  etag: ETag;
}

export interface Entry {
  path: string;
  size: number;
  /** Milliseconds since 1970. */
  modified: number;
}

/** The store's operations on objects, as they are: what fails is an {@link S3Failure}. */
export class Bucket {
  readonly name: string;
  readonly #connection: Connection;
  /** Whether entity tags of records are the MD5 of their bytes. Known once the store was probed. */
  hasMd5Tags = false;
  /** Whether conditions of writes want the entity tag in quotes, as HTTP says. Known once the store was probed. */
  quotesTags = true;

  constructor(name: string, connection: Connection) {
    this.name = name;
    this.#connection = connection;
  }

  /** @returns undefined where the object still is the one of `known` */
  get(path: string, known?: ETag): Promise<{ bytes: Buffer; etag: ETag } | undefined> {
    const input = { Bucket: this.name, Key: path, ...(known === undefined ? {} : { IfNoneMatch: `"${known}"` }) };
    return this.#connection.record(async (client, abortSignal) => {
      try {
        const answer = await client.send(new GetObjectCommand(input), { abortSignal });
        const bytes = await bytesOf(answer.Body as Readable, abortSignal);
        const etag = unquoted(answer.ETag);
        if (bytes.length !== answer.ContentLength || (this.hasMd5Tags && etag.length === 32 && md5(bytes) !== etag)) {
          throw new S3Failure('passing', 'Damaged', 'bytes were lost or changed on the way from the store');
        }
        return { bytes, etag };
      } catch (error) {
        if (known !== undefined && isUnchanged(error)) return undefined;
        throw error;
      }
    });
  }

  head(path: string): Promise<{ size: number; etag: ETag }> {
    return this.#connection.record(async (client, abortSignal) => {
      const answer = await client.send(new HeadObjectCommand({ Bucket: this.name, Key: path }), { abortSignal });
      return { size: answer.ContentLength ?? 0, etag: unquoted(answer.ETag) };
    });
  }

  put(path: string, bytes: Uint8Array, condition?: Condition): Promise<ETag> {
    const input = {
      Bucket: this.name,
      Key: path,
      Body: bytes,
      ContentType: 'application/octet-stream',
      ...(condition === undefined
        ? {}
        : condition === 'absent'
          ? { IfNoneMatch: '*' }
          : { IfMatch: this.#tag(condition.ifMatch, condition.bare) }),
    };
    const put: Parameters<Connection['record']>[0] = (client, abortSignal) =>
      client.send(new PutObjectCommand(input), { abortSignal });
    // Large ones may take longer, and must not hold up small ones.
    const sent = bytes.length < 64 * 1024 ? this.#connection.record(put) : this.#connection.body(bytes.length, put);
    return sent.then((answer) => unquoted((answer as { ETag?: string }).ETag));
  }

  /** Succeeds as well where nothing is there. */
  async delete(path: string, ifMatch?: ETag): Promise<void> {
    const condition = ifMatch === undefined ? {} : { IfMatch: this.#tag(ifMatch) };
    await this.#connection.record((client, abortSignal) =>
      client.send(new DeleteObjectCommand({ Bucket: this.name, Key: path, ...condition }), { abortSignal }),
    );
  }

  async list(prefix: string, after: string | undefined, limit: number): Promise<{ entries: Entry[]; more: boolean }> {
    const input = {
      Bucket: this.name,
      Prefix: prefix,
      MaxKeys: limit,
      // XML cannot hold everything that a key or the text to begin after may; percent-encoded it can.
      EncodingType: 'url' as const,
      ...(after === undefined ? {} : { StartAfter: after }),
    };
    const answer = await this.#connection.record((client, abortSignal) =>
      client.send(new ListObjectsV2Command(input), { abortSignal }),
    );
    const entries = (answer.Contents ?? []).map(({ Key = '', Size = 0, LastModified }) => ({
      path: decodeURIComponent(Key.replaceAll('+', ' ')),
      size: Size,
      modified: LastModified?.getTime() ?? 0,
    }));
    return { entries, more: answer.IsTruncated ?? false };
  }

  /** The body, from its first byte on; what breaks while it is read is the reader's to deal with. */
  open(path: string, range?: ByteRange, ifMatch?: ETag): Promise<OpenBody> {
    const input = {
      Bucket: this.name,
      Key: path,
      ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }),
      ...(ifMatch === undefined ? {} : { IfMatch: `"${ifMatch}"` }),
    };
    return this.#connection.body(0, async (client, abortSignal) => {
      const answer = await client.send(new GetObjectCommand(input), { abortSignal });
      const body = answer.Body as Readable;
      const size = range === undefined ? (answer.ContentLength ?? 0) : range.end - range.start + 1;
      const starts = range === undefined || answer.ContentRange?.startsWith(`bytes ${range.start}-`);
      if (starts && answer.ContentLength === size) return { body, size, etag: unquoted(answer.ETag) };
      body.destroy();
      throw new S3Failure('passing', 'WrongRange', 'the store answered another range than the one asked for');
    });
  }

  /** Server-side. @param size bytes of the object */
  async copy(from: string, to: string, size: number): Promise<ETag> {
    const input = { Bucket: this.name, Key: to, CopySource: this.source(from) };
    const answer = await this.#connection.body(size, (client, abortSignal) =>
      client.send(new CopyObjectCommand(input), { abortSignal }),
    );
    return unquoted(answer.CopyObjectResult?.ETag);
  }

  /** How a copy names what it is made from. */
  source(path: string): string {
    return `${this.name}/${encodeURIComponent(path).replaceAll('%2F', '/')}`;
  }

  #tag(etag: ETag, bare = !this.quotesTags): string {
    return bare ? etag : `"${etag}"`;
  }
}

export function unquoted(etag: string | undefined): ETag {
  return (etag ?? '').replace(/^W\//, '').replaceAll('"', '');
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Reads a short body; the signal, which covers the request up to its headers, covers this as well. */
async function bytesOf(body: Readable, signal: AbortSignal): Promise<Buffer> {
  const stop = () => body.destroy(new Error('timed out'));
  signal.addEventListener('abort', stop);
  try {
    return await buffer(body);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function isUnchanged(error: unknown): boolean {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  return (metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode === 304;
}
