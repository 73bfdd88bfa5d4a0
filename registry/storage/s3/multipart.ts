// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { ByteRange } from '../contract.ts';
import { type Bucket, type ETag, unquoted } from './bucket.ts';
import type { Connection } from './connection.ts';
import { S3Failure } from './failures.ts';

/** The number of an upload's last part. */
export const MOST_PARTS = 10_000;

export interface Part {
  number: number;
  etag: ETag;
}

export interface OpenUpload {
  path: string;
  id: string;
  /** Milliseconds since 1970. */
  begun: number;
}

/** The store's operations on multipart uploads, as they are: what fails is an `S3Failure`. */
export class Multipart {
  readonly #bucket: Bucket;
  readonly #connection: Connection;

  constructor(bucket: Bucket, connection: Connection) {
    this.#bucket = bucket;
    this.#connection = connection;
  }

  /** @returns the upload's identifier */
  async begin(path: string): Promise<string> {
    const input = { Bucket: this.#bucket.name, Key: path, ContentType: 'application/octet-stream' };
    const answer = await this.#connection.record((client, abortSignal) =>
      client.send(new CreateMultipartUploadCommand(input), { abortSignal }),
    );
    return given(answer.UploadId);
  }

  async put(path: string, id: string, number: number, bytes: Uint8Array): Promise<ETag> {
    const input = { Bucket: this.#bucket.name, Key: path, UploadId: id, PartNumber: number, Body: bytes };
    const answer = await this.#connection.body(bytes.length, (client, abortSignal) =>
      client.send(new UploadPartCommand(input), { abortSignal }),
    );
    return unquoted(given(answer.ETag));
  }

  /** Server-side. @param range of the object at `from` */
  async copy(path: string, id: string, number: number, from: string, range: ByteRange): Promise<ETag> {
    const input = {
      Bucket: this.#bucket.name,
      Key: path,
      UploadId: id,
      PartNumber: number,
      CopySource: this.#bucket.source(from),
      CopySourceRange: `bytes=${range.start}-${range.end}`,
    };
    const answer = await this.#connection.body(range.end - range.start + 1, (client, abortSignal) =>
      client.send(new UploadPartCopyCommand(input), { abortSignal }),
    );
    return unquoted(given(answer.CopyPartResult?.ETag));
  }

  /**
   * Succeeds only with parts that are there as they are named here. Amazon drops what else there is; Ceph refuses, as for
   * parts that are not there ({@link isOtherParts}).
   */
  async complete(path: string, id: string, parts: readonly Part[]): Promise<void> {
    const input = {
      Bucket: this.#bucket.name,
      Key: path,
      UploadId: id,
      MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` })) },
    };
    // Stores may take minutes over thousands of parts.
    const patience = 64 * 1024 * 1024 + parts.length * 64 * 1024;
    await this.#connection.body(patience, (client, abortSignal) =>
      client.send(new CompleteMultipartUploadCommand(input), { abortSignal }),
    );
  }

  async abort(path: string, id: string): Promise<void> {
    const input = { Bucket: this.#bucket.name, Key: path, UploadId: id };
    await this.#connection.record((client, abortSignal) =>
      client.send(new AbortMultipartUploadCommand(input), { abortSignal }),
    );
  }

  /** The parts that are there, by their numbers. */
  async parts(path: string, id: string): Promise<(Part & { size: number })[]> {
    const found: (Part & { size: number })[] = [];
    for (let marker: { PartNumberMarker?: string } = {}; ; ) {
      const input = { Bucket: this.#bucket.name, Key: path, UploadId: id, ...marker };
      const answer = await this.#connection.record((client, abortSignal) =>
        client.send(new ListPartsCommand(input), { abortSignal }),
      );
      for (const { PartNumber = 0, ETag, Size = 0 } of answer.Parts ?? []) {
        found.push({ number: PartNumber, etag: unquoted(ETag), size: Size });
      }
      if (!answer.IsTruncated || answer.NextPartNumberMarker === undefined) return found;
      marker = { PartNumberMarker: answer.NextPartNumberMarker };
    }
  }

  async *list(prefix: string): AsyncGenerator<OpenUpload> {
    for (let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}; ; ) {
      const input = { Bucket: this.#bucket.name, Prefix: prefix, EncodingType: 'url' as const, ...marker };
      const answer = await this.#connection.record((client, abortSignal) =>
        client.send(new ListMultipartUploadsCommand(input), { abortSignal }),
      );
      for (const { Key = '', UploadId = '', Initiated } of answer.Uploads ?? []) {
        yield { path: decoded(Key), id: UploadId, begun: Initiated?.getTime() ?? 0 };
      }
      if (!answer.IsTruncated) return;
      const { NextKeyMarker = '', NextUploadIdMarker = '' } = answer;
      marker = { KeyMarker: decoded(NextKeyMarker), UploadIdMarker: NextUploadIdMarker };
    }
  }
}

/** A completion was refused: the upload has other parts than those that were named. */
export function isOtherParts(error: unknown): boolean {
  return error instanceof S3Failure && (error.code === 'InvalidPart' || error.code === 'EntityTooSmall');
}

/** The entity tag of an object made of parts, on stores whose tags are MD5. */
export function tagOfParts(parts: readonly Part[]): ETag {
  const all = createHash('md5');
  for (const { etag } of parts) all.update(Buffer.from(etag, 'hex'));
  return `${all.digest('hex')}-${parts.length}`;
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function given(value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw new S3Failure('passing', 'NoAnswer', 'the store answered without the value that was asked for');
}
