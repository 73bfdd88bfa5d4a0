// SPDX-License-Identifier: Apache-2.0
import type { Reason } from '../state/run-state.ts';

/** The descriptor on which a supervisor says how its first start went. */
export const FIRST = 3;

export type FirstReport =
  | { ok: true }
  | { ok: false; reason: Reason; status?: number | undefined; kernelLog?: string | undefined };
