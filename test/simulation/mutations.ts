// SPDX-License-Identifier: Apache-2.0
import { parseBlob, parseBlobLink } from '../../registry/service/records.ts';
import type { ListPage, ObjectStore, StoredRecord } from '../../registry/storage/contract.ts';
import type { Mutation } from './schedule.ts';

const isLink = (key: string) => key.includes('/_blobs/');
const isBlob = (key: string) => key.startsWith('blobs/');

/** Safeguards undone on purpose, each by a store that lies to one side. A simulation that misses one shows nothing. */
export const MUTATIONS: Record<string, Mutation> = {
  'servers look only once whether a blob is condemned': {
    server(store) {
      const seen = new Map<string, StoredRecord>();
      return withGet(store, async (key) => {
        if (!isLink(key) && !isBlob(key)) return store.get(key);
        const known = seen.get(key);
        if (known !== undefined) return known;
        const found = await store.get(key);
        if (found !== undefined && isAlive(key, found)) seen.set(key, found);
        return found;
      });
    },
  },
  'servers do not see that a link is condemned': {
    server: (store) =>
      withGet(store, async (key) => {
        const found = await store.get(key);
        if (found === undefined || !isLink(key)) return found;
        const { condemned: _, ...link } = parseBlobLink(found, key);
        return { token: found.token, bytes: Buffer.from(JSON.stringify(link)) };
      }),
  },
  'servers leave no markers': {
    server: (store) => ({
      ...store,
      put: async (key, bytes, options) =>
        key.startsWith('blob-repositories/') ? 'a token' : store.put(key, bytes, options),
    }),
  },
  'collectors write without a condition': {
    collector: (store) => ({
      ...store,
      put: (key, bytes, options) => store.put(key, bytes, options?.durable === false ? options : {}),
      delete: (key) => store.delete(key),
    }),
  },
  'collectors read the manifests before they condemn': {
    collector(store) {
      const lists = new Map<string, ListPage>();
      return {
        ...store,
        async list(options) {
          if (!options.prefix.includes('/_manifests/')) return store.list(options);
          const name = JSON.stringify(options);
          const page = lists.get(name) ?? (await store.list(options));
          lists.set(name, page);
          return page;
        },
      };
    },
  },
  'servers write nothing durably': {
    server: (store) => ({
      ...store,
      put: (key, bytes, options) => store.put(key, bytes, { ...options, durable: false }),
      settle: async () => undefined,
    }),
  },
};

function withGet(store: ObjectStore, get: ObjectStore['get']): ObjectStore {
  return { ...store, get };
}

function isAlive(key: string, found: StoredRecord): boolean {
  return isLink(key) ? parseBlobLink(found, key).condemned === undefined : parseBlob(found, key).state === 'live';
}
