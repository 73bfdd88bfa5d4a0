// SPDX-License-Identifier: Apache-2.0
import type { Descriptor, Digest } from '../../image-format/index.ts';
import { RegistryError } from '../errors.ts';
import type { Service } from '../service/index.ts';

/** Reads a small blob of a repository whole. @returns undefined where the repository does not hold it, or it is larger */
export async function readBlob(
  service: Service,
  repository: string,
  digest: Digest,
  most: number,
): Promise<Buffer | undefined> {
  const blob = await service.blobs.find(repository, digest);
  if (blob === undefined || blob.size > most) return undefined;
  if (blob.size === 0) return Buffer.alloc(0);
  return collect(await service.blobs.read(blob), most);
}

/** Chunks are valid only until the next one, so they are copied. */
export async function collect(source: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > most) break;
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** Path of a document for the protocol. */
export function manifestLink(repository: string, digest: string): string {
  return `/v2/${repository}/manifests/${digest}`;
}

export function blobLink(repository: string, digest: string): string {
  return `/v2/${repository}/blobs/${digest}`;
}

/** Layers, config and the rest, each digest once. */
export function sumOfSizes(descriptors: readonly Pick<Descriptor, 'digest' | 'size'>[]): number {
  const sizes = new Map(descriptors.map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** `undefined` where an operation fails only because something is not there. */
export async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RegistryError && /_UNKNOWN$/.test(error.code)) return undefined;
    throw error;
  }
}

/** Milliseconds since 1970 of a time in a document; undefined where it is none. */
export function timeOf(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length > 64) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
