// SPDX-License-Identifier: Apache-2.0
// What passes in ring 3 and does not in ring 0, each with its reason.
import type { Expectation } from './compare.ts';

export const EXPECTED: readonly Expectation[] = [];
