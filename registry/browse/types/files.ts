// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { bytes, count, digest, type PageQuery, pageInfo } from './paging.ts';

/** A layer of an image, or its whole file system after all layers. */
export interface FilesPlace {
  repository: string;
  /** Tag or digest of an image, not of an index. */
  reference: string;
  /** From 0; left out: all layers together. */
  layer?: number | undefined;
}

export interface FilesQuery extends PageQuery {
  /** Folder to list: `usr/lib`; the root is ``. */
  path?: string | undefined;
  /** Words, each of which must stand in the path; then everything below `path` is searched. */
  search?: string | undefined;
  /** Default `name`. */
  sort?: 'name' | 'size' | undefined;
  /** Only what a layer replaces or removes, below `path`. */
  changes?: boolean | undefined;
}

/**
 * One file. Paths are UTF-8 text without a leading `/`; a byte that is none is written `\xNN`, and a backslash `\\`.
 * Such a text is what `path` takes.
 */
export const fileRowSchema = z
  .object({
    path: z.string(),
    name: z.string(),
    type: z.enum(['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo', 'removed']),
    /** Bytes of a file; of a directory: of all files below it. */
    size: bytes,
    /** Files below a directory. */
    files: count.optional(),
    /** Permission bits, 0 to 0o7777. */
    mode: count.optional(),
    uid: count.optional(),
    gid: count.optional(),
    /** Seconds since 1970. */
    mtime: z.number().optional(),
    /** Where a link leads, as it stands. */
    target: z.string().optional(),
    /** `3,1`, of a device. */
    device: z.string().optional(),
    /** Names of extended attributes. */
    xattrs: z.array(z.string()).optional(),
    /** Layer that it comes from. */
    layer: count,
    /** Of a layer: what it does to the layers below. `replaces`: they had a file there; `removes`: they have it, the image does not. */
    change: z.enum(['adds', 'replaces', 'removes']).optional(),
    /** Bytes below that are replaced or removed, and still are sent to everybody. */
    wasted: bytes.optional(),
  })
  .meta({ id: 'FileRow' });
export type FileRow = z.infer<typeof fileRowSchema>;

export const filePageSchema = z
  .object({
    ...pageInfo,
    path: z.string(),
    rows: z.array(fileRowSchema),
    /** The folder itself. */
    folder: fileRowSchema,
  })
  .meta({ id: 'FilePage' });
export type FilePage = z.infer<typeof filePageSchema>;

/** The start of a file, as text or hexadecimal. */
export const fileViewSchema = z
  .object({
    ...fileRowSchema.shape,
    view: z.enum(['text', 'hex', 'none']),
    /** Text; or hexadecimal digits without spaces, two a byte. */
    content: z.string(),
    /** Bytes of the file that `content` shows. */
    shown: bytes,
    cut: z.boolean(),
    /** Digest of the layer that holds the bytes. */
    blob: digest,
  })
  .meta({ id: 'FileView' });
export type FileView = z.infer<typeof fileViewSchema>;

/** Most bytes of a file that {@link FileView} shows. */
export const MOST_SHOWN = 256 * 1024;

/** What all layers come to. */
export const rootSummarySchema = z
  .object({
    files: count,
    directories: count,
    links: count,
    /** Of all files that the image shows. */
    size: bytes,
    /** Bytes in layers that later layers replace or remove. */
    wasted: bytes,
    layers: z.array(
      z.object({
        number: count,
        digest,
        unpacked: bytes,
        files: count,
        adds: count,
        replaces: count,
        removes: count,
        /** Bytes that this layer replaces or removes below it. */
        wasted: bytes,
      }),
    ),
    /** The most wasteful paths. */
    waste: z.array(z.object({ path: z.string(), wasted: bytes, layers: z.array(count) })),
    largest: z.array(fileRowSchema),
  })
  .meta({ id: 'RootSummary' });
export type RootSummary = z.infer<typeof rootSummarySchema>;
