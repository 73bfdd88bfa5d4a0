// SPDX-License-Identifier: Apache-2.0
import type { ObjectStore } from '../storage/contract.ts';
import { BlobCache, type BlobCacheOptions } from './blob-cache.ts';
import { Blobs } from './blobs.ts';
import { Catalog } from './catalog.ts';
import { Changes } from './changes.ts';
import { Manifests, type ManifestsOptions } from './manifests.ts';
import { Referrers } from './referrers.ts';
import { type Surroundings, SYSTEM } from './surroundings.ts';
import { Tags } from './tags.ts';
import { Uploads } from './uploads.ts';

/** What a registry does, without HTTP. Holds no state of its own: any number of them may work on one store. */
export interface Service {
  blobs: Blobs;
  uploads: Uploads;
  manifests: Manifests;
  tags: Tags;
  referrers: Referrers;
  catalog: Catalog;
  changes: Changes;
}

export function createService(
  store: ObjectStore,
  options: Partial<ManifestsOptions> & { blobCache?: BlobCacheOptions } = {},
  surroundings: Surroundings = SYSTEM,
): Service {
  const blobs = new Blobs(store, surroundings, new BlobCache(store, options.blobCache ?? { limit: 0 }));
  const tags = new Tags(store, surroundings);
  const referrers = new Referrers(store);
  const catalog = new Catalog(store, surroundings);
  const uploads = new Uploads(store, blobs, surroundings);
  const changes = new Changes(store, surroundings);
  const rooms = { blobs, tags, referrers, catalog, changes };
  const manifests = new Manifests(store, surroundings, rooms, { sparse: options.sparse ?? false });
  return { blobs, uploads, manifests, tags, referrers, catalog, changes };
}
