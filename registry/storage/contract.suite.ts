// SPDX-License-Identifier: Apache-2.0
import { describe } from 'vitest';
import { dataContract } from './suite/data.ts';
import { keysContract } from './suite/keys.ts';
import { recordsContract } from './suite/records.ts';
import type { StoreUnderTest } from './suite/store-under-test.ts';

export type { StoreUnderTest } from './suite/store-under-test.ts';

/** What every driver must do; see `contract.ts`. */
export function storageContract(name: string, subject: StoreUnderTest): void {
  describe(`storage contract: ${name}: records`, () => recordsContract(subject));
  describe(`storage contract: ${name}: keys`, () => keysContract(subject));
  describe(`storage contract: ${name}: data`, () => dataContract(subject));
}
