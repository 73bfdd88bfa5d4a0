// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach } from 'vitest';
import type { ObjectStore } from '../contract.ts';

/** How the suite gets the driver it tests. */
export interface StoreUnderTest {
  /** A new, empty store. */
  open(): Promise<ObjectStore>;
  /** A second driver on what `store` works on, as another process would have it; absent where there can be none. */
  second?(store: ObjectStore): Promise<ObjectStore>;
  /** After the store was closed: away with everything. */
  remove(store: ObjectStore): Promise<void>;
}

/** A store for each test of the surrounding block. */
export function useStore(subject: StoreUnderTest): { readonly store: ObjectStore } {
  let store: ObjectStore | undefined;
  beforeEach(async () => {
    store = await subject.open();
  });
  afterEach(async () => {
    if (store === undefined) return;
    await store.close();
    await subject.remove(store);
    store = undefined;
  });
  return {
    get store() {
      if (store === undefined) throw new Error('a store is there inside of tests only');
      return store;
    },
  };
}
