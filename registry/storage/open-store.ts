// SPDX-License-Identifier: Apache-2.0
import type { ObjectStore } from './contract.ts';
import { FilesystemStore, type OwnedFilesystemStore } from './filesystem/index.ts';
import type { Locks } from './keyed-lock.ts';
import type { S3Options } from './s3/options.ts';

/** Where everything is kept. */
export type StorageOptions =
  /** `root` is a folder, made where it is missing; one server at a time runs on it. */
  { driver: 'filesystem'; root: string } | ({ driver: 's3' } & S3Options);

interface CommonOptions {
  /** Bytes of records that a process keeps in memory. */
  recordCacheBytes?: number | undefined;
  /** Refuse a folder that holds no storage, in place of making one. Default false. */
  existing?: boolean;
}

/** How a worker process gets at the folder that its primary process owns. */
export interface FolderShare {
  claim: number;
  locks: Locks;
}

/** @throws RegistryError `STORAGE_IN_USE`, `STORAGE_UNAVAILABLE`, `STORAGE_FULL`, `CONFIG_INVALID` */
export async function openStore(
  storage: StorageOptions,
  options: CommonOptions & { share?: FolderShare } = {},
): Promise<ObjectStore> {
  const cache = options.recordCacheBytes === undefined ? {} : { cacheBytes: options.recordCacheBytes };
  if (storage.driver === 's3') {
    // Loaded where it is used: the SDK is large.
    const { S3Store } = await import('./s3/index.ts');
    return S3Store.open({ ...storage, ...cache });
  }
  const { root } = storage;
  return options.share === undefined
    ? FilesystemStore.open({ root, existing: options.existing ?? false, ...cache })
    : FilesystemStore.join({ root, ...cache, ...options.share });
}

/** The folder for a primary process: others are going to join it. */
export function openSharedFolder(root: string, locks: Locks): Promise<OwnedFilesystemStore> {
  // It answers no requests, so it has no use for a cache.
  return FilesystemStore.open({ root, locks, shared: true, cacheBytes: 0 });
}
