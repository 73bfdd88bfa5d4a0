// SPDX-License-Identifier: Apache-2.0

/** Bytes from `start` to before `end`. */
export interface Range {
  start: number;
  end: number;
}

/** What a registry sends of a blob: **not yet verified**. */
export interface BlobAnswer {
  /** Where the first byte belongs. A server that knows no ranges begins at 0. */
  start: number;
  /** No byte of it belongs here or behind. */
  end: number;
  /** Fails with `REGISTRY_UNREACHABLE` where the line is cut or too slow. */
  body: AsyncIterable<Buffer>;
  etag: string | undefined;
  /** Who sends it: scheme, host and port. */
  origin: string;
}
