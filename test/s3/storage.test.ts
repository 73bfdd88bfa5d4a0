// SPDX-License-Identifier: Apache-2.0

import { storageContract } from '../../registry/storage/contract.suite.ts';
import type { ObjectStore } from '../../registry/storage/contract.ts';
import { S3Store } from '../../registry/storage/s3/index.ts';
import type { S3Options } from '../../registry/storage/s3/options.ts';
import { freshPrefix } from './server.ts';

/** The bucket goes at the end of the run, with everything in it. */
function onS3(more: Partial<S3Options> = {}) {
  const opened = new Map<ObjectStore, S3Options>();
  const open = async (options: S3Options) => {
    const store = await S3Store.open(options);
    opened.set(store, options);
    return store;
  };
  return {
    open: () => open(freshPrefix(more)),
    second: (store: ObjectStore) => open(opened.get(store) ?? freshPrefix()),
    remove: async () => undefined,
  };
}

storageContract('s3', onS3());
storageContract('s3, without its cache', onS3({ cacheBytes: 0 }));
