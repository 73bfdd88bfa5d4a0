// SPDX-License-Identifier: Apache-2.0
import { deleteBlob, getBlob } from './blob-routes.ts';
import type { Handler } from './exchange.ts';
import { getBase, getCatalog, getReferrers, getTags } from './list-routes.ts';
import { deleteManifest, getManifest, putManifest } from './manifest-routes.ts';
import { appendToUpload, cancelUpload, finishUpload, getUpload, startUpload } from './upload-routes.ts';

export interface Route {
  name: string;
  /**
   * Matched against the path as it stands in the URL. Repositories may be called almost anything, `a/manifests/b` too,
   * so a path is read from its end; first match wins.
   */
  path: RegExp;
  methods: Readonly<Record<string, Handler>>;
}

/** Every route of the registry, as data: what Express mounts, and what may be answered before it. */
export const ROUTES: readonly Route[] = [
  {
    name: 'manifest',
    path: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
    methods: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  },
  {
    name: 'uploads',
    path: /^\/v2\/(.+)\/blobs\/uploads\/?$/,
    methods: { POST: startUpload },
  },
  {
    name: 'upload',
    path: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
    methods: { GET: getUpload, PATCH: appendToUpload, PUT: finishUpload, DELETE: cancelUpload },
  },
  {
    name: 'blob',
    path: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
    methods: { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob },
  },
  { name: 'tags', path: /^\/v2\/(.+)\/tags\/list$/, methods: { GET: getTags, HEAD: getTags } },
  { name: 'referrers', path: /^\/v2\/(.+)\/referrers\/([^/]+)$/, methods: { GET: getReferrers, HEAD: getReferrers } },
  { name: 'catalog', path: /^\/v2\/_catalog$/, methods: { GET: getCatalog, HEAD: getCatalog } },
  { name: 'base', path: /^\/v2\/?$/, methods: { GET: getBase, HEAD: getBase } },
];
