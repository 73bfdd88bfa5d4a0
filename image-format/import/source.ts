// SPDX-License-Identifier: Apache-2.0
import { type Digest, isDigest } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { formatReference, parseReference } from '../reference.ts';

/** An OCI image layout: a folder of this machine. */
export interface LayoutSource {
  kind: 'oci';
  folder: string;
  /** The name that its `index.json` gives to an image. */
  tag?: string;
  digest?: Digest;
}

/** A file as `docker save` and `podman save` write it. */
export interface ArchiveSource {
  kind: 'docker-archive';
  file: string;
  /** A full reference (see `formatReference`). */
  name?: string;
  /** Which of its images, from 0: the way to those that have no name. */
  position?: number;
}

/** Where an image is that is neither in a store nor in a registry. */
export type ImageSource = LayoutSource | ArchiveSource;

/** Places that other tools know by such a prefix. A bare `docker:TAG` is an image of Docker Hub. */
const OTHERS = /^(?:(?:oci-archive|docker-daemon|containers-storage|dir):|docker:\/\/)/;

/**
 * Reads `oci:DIR[:TAG|@DIGEST]` and `docker-archive:FILE[:NAME|:@POSITION]`, as skopeo and podman write them. The first
 * colon ends the path.
 *
 * @returns undefined for all else, which is an image's reference
 * @throws ImageError `REFERENCE_INVALID`
 */
export function parseSource(text: string): ImageSource | undefined {
  if (text.startsWith('oci:')) return parseLayout(text, text.slice('oci:'.length));
  if (text.startsWith('docker-archive:')) return parseArchive(text, text.slice('docker-archive:'.length));
  if (!OTHERS.test(text)) return undefined;
  throw invalid(text, 'images are taken from a registry, from oci:DIR and from docker-archive:FILE only', {
    hint: `skopeo copy ${text} oci:DIR:TAG makes a folder of it`,
  });
}

function parseLayout(text: string, rest: string): LayoutSource {
  const at = rest.lastIndexOf('@');
  const pinned = at >= 0 && /^sha\d+:/.test(rest.slice(at + 1));
  const digest = rest.slice(at + 1);
  if (pinned && !isDigest(digest)) throw invalid(text, 'what follows "@" is not a digest');
  const { path: folder, name: tag } = split(pinned ? rest.slice(0, at) : rest);
  if (folder === '') throw invalid(text, 'it names no folder');
  if (tag !== undefined && pinned) throw invalid(text, 'say either a tag or a digest');
  return {
    kind: 'oci',
    folder,
    ...(tag === undefined ? {} : { tag }),
    ...(pinned && isDigest(digest) ? { digest } : {}),
  };
}

function parseArchive(text: string, rest: string): ArchiveSource {
  const { path: file, name } = split(rest);
  if (file === '') throw invalid(text, 'it names no file');
  if (name === undefined) return { kind: 'docker-archive', file };
  const position = /^@([0-9]{1,6})$/.exec(name)?.[1];
  if (position !== undefined) return { kind: 'docker-archive', file, position: Number(position) };
  return { kind: 'docker-archive', file, name: formatReference(parseReference(name)) };
}

function split(text: string): { path: string; name?: string } {
  const colon = text.indexOf(':');
  const name = colon < 0 ? '' : text.slice(colon + 1);
  return { path: colon < 0 ? text : text.slice(0, colon), ...(name === '' ? {} : { name }) };
}

function invalid(
  text: string,
  why: string,
  detail = { hint: 'write oci:DIR[:TAG|@DIGEST] or docker-archive:FILE[:NAME]' },
): ImageError {
  return new ImageError('REFERENCE_INVALID', `not an image: ${JSON.stringify(text.slice(0, 300))}: ${why}`, detail);
}

/** As a user writes it, for messages. */
export function formatSource(source: ImageSource): string {
  return source.kind === 'oci' ? `oci:${source.folder}` : `docker-archive:${source.file}`;
}
